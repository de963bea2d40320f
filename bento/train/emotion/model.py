"""The classifier that is trained: a BERT encoder, its mean, one linear layer."""

from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from bento.train.emotion.data import LABELS

# Rate on the hidden states only: on CPU, dropout inside attention costs more
# time than it earns on comments of twenty tokens.
DROPOUT = 0.1


# Files of a step's output folder.
CHECKPOINT, TOKENIZER = "model.pt", "tokenizer.json"


class Classifier(nn.Module):
    """Token ids to logits over LABELS."""

    def __init__(self, encoder: BertModel, labels: int = len(LABELS)) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.config.hidden_size, labels)
        # Plain attention: the fused CPU kernel's backward pass takes a third
        # of a training step at these lengths.
        encoder.set_attn_implementation("eager")
        for name, module in encoder.named_modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0 if name.endswith("attention.self.dropout") else DROPOUT

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Ids and mask int64 [batch, tokens] to logits fp32 [batch, labels]."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask)
        weight = attention_mask.unsqueeze(-1).to(torch.float32)
        total = (states.last_hidden_state.float() * weight).sum(dim=1)
        logits: Tensor = self.head(total / weight.sum(dim=1))
        return logits


def save(model: Classifier, path: Path) -> None:
    """Write a checkpoint: the encoder's shape and all weights."""
    config = model.encoder.config.to_dict()
    torch.save({"config": config, "state": model.state_dict()}, path)


def load(path: Path) -> Classifier:
    """Read a checkpoint that `save` wrote."""
    saved = torch.load(path, map_location="cpu", weights_only=True)
    model = Classifier(BertModel(BertConfig(**saved["config"]), add_pooling_layer=False))
    model.load_state_dict(saved["state"])
    return model
