"""English: comments below other people's posts, in the moods that the emotion model tells apart."""

from itertools import chain

from nlpserve.sentences_grammar import Bag, Language, Recipe, expand, phrases

NAMES = phrases("""
    Ada | Ben | Bea | Carl | Cleo | Dave | Dina | Eli | Elsa | Finn | Gus | Hal | Ida | Ivy |
    Jan | Kim | Kurt | Lena | Liv | Max | Mia | Ned | Nora | Omar | Otto | Pam | Raj | Rosa |
    Sam | Tara | Theo | Uma | Vera | Walt | Yara | Zoe""")
WORKS = phrases("""
    this game | that trailer | the new season | this recipe | this song | that movie |
    the finale | this photo | the second chapter | this podcast | that interview |
    the soundtrack | that article | that documentary | the last episode | the opening scene |
    their new album | the sequel | this sculpture | the paperback | that speech |
    the board game | the director's cut""")
THINGS = WORKS + phrases("""
    your dog | that pass | this sub | the whole thread | their defense | this update |
    this café | the bus driver | my landlord | that goal | your garden | the referee |
    my manager | this bug | my neighbor | the coach | this build | my old phone |
    the checkout page | the new bridge""")
WHEN = Bag(
    phrases("""today | tonight | this morning | last night | right now | after all these years |
        every single week | for once | since Monday | on a Sunday | in the end |
        before breakfast | all week | at three in the morning | even now | from start to finish |
        these days""")
)
BESIDES = Bag(
    phrases("""and I mean it | if you ask me | to be honest | not gonna lie |
        as far as I can tell | and my whole family agrees | in my opinion |
        at least where I live | believe it or not | for what it's worth | and that says a lot |
        no matter what people say here | I guess | and nobody talks about it |
        compared to last year | and I watched it twice | , at least to me | , no question |
        , as always | , of all things""")
)
DETAILS = (WHEN, BESIDES)
PLEASED = phrases("""
    made my day | keep it up | more of this please | you earned it | I'm still smiling |
    my kids loved it too | that's how it should be done | I saved this for later | well done |
    we need more people like that | can't wait for the next one | it only gets better from here |
    I showed it to everyone at work | the little details are what make it work""")
UPSET = phrases("""
    I'm done with it | it happens every week | nobody listens anyway | and they want more money |
    what a waste | I expected better | it was fine before they touched it | I had to walk away |
    and of course support never answered | same story as last year | I don't get it at all |
    it ruined the whole evening for us | somebody has to say it |
    that's not how any of this works""")
PLAIN = phrases("""
    it depends on where you live | mine is the blue one | you can find it in the menu |
    I live two towns over | there is a list in the sidebar | it was on the radio yesterday |
    they close at nine | it takes about an hour by train | my brother drives the same one |
    I read that somewhere too | the older version had three buttons | it's mostly water |
    people used to do it by hand | check the date on the label | I usually go on Tuesdays""")
ASKING = phrases("""
    is there a source for this? | does it work on older ones? | what am I missing here? |
    how long did it take you? | and what did they say? | where did you find it? |
    has anyone here tried it? | who even decides that? | does that mean it's over? |
    why not both? | I'd love to know more""")


def about(block: str, statements: str, things: tuple[str, ...] = THINGS) -> Bag:
    """Each of the things with each predicate of the block, and the statements as they stand."""
    return Bag(
        expand("{thing} {predicate}", thing=things, predicate=phrases(block)) + phrases(statements)
    )


ADMIRATION = about(
    """is brilliant | is honestly the best I have seen | deserves every award | looks amazing |
    is a work of art | is so well done | never stops impressing me | is pure class |
    has no right to be this good""",
    """you did a great job | what a player | that takes real talent | she is such a good player |
    huge respect for doing this | I wish I could write like that | beautiful work |
    you are braver than I will ever be | great point | he handled that like a champion""",
)
AMUSEMENT = about(
    """cracks me up | had me in tears of laughter | is comedy gold | is hilarious |
    made me snort my coffee | is the funniest thing on here""",
    """lol | haha same | I laughed way too hard at this | lmao what did I just read |
    the look on his face though | okay that was funny | I can't stop giggling |
    my cat does exactly that, haha | who let him cook | take my upvote and leave""",
)
ANGER = about(
    """makes my blood boil | makes me so damn angry | can go to hell | is infuriating |
    is run by absolute crooks""",
    """how dare they | I hate this with a passion | get lost | what a pathetic coward |
    I'm furious | screw that guy | they should be fired on the spot | shut up already |
    I want to throw my phone at the wall | people who litter disgust me""",
)
ANNOYANCE = about(
    """is getting on my nerves | is so overrated | never works when I need it | is a mess |
    keeps freezing | is full of ads again | talks too much""",
    """ugh, not this again | stop posting the same thing | why is everyone so loud on trains |
    I'm so tired of these excuses | that's just lazy | can people read the rules for once |
    here we go again | it's annoying as hell | give it a rest | typical""",
)
OPTIMISM = about(
    """will get better, I'm sure | is going to be great | gives me hope |
    will be worth the wait | might turn out fine""",
    """I hope it works out for you | fingers crossed | you've got this | hang in there |
    next year will be ours | good luck with the exam | it gets easier, I promise |
    hopefully they fix it soon | I believe in this team | you will find your people""",
)
CURIOSITY = about(
    """is from which year? | is available where? | works how exactly? | is about what?""",
    """what do you mean by that? | does anyone know the name of this? | why would she sell it? |
    how did you get it to work? | I wonder who made it | what happened after that? |
    wait, is that legal? | I don't understand the second part |
    could somebody explain the joke? | is it still open? | where was this taken? |
    what breed is she? | I'm not sure I follow""",
    WORKS,
)
SADNESS = about(
    """makes me so sad | broke my heart | let me down | hasn't been the same since she left |
    is a real disappointment | reminds me of my late father""",
    """I miss him so much | so sorry for your family | I cried for an hour |
    I feel so alone lately | rest in peace, old friend | it hurts to see them go |
    I lost my best friend | poor thing | that is such a sad story |
    I'm scared it will never be the same | nobody came to my party""",
)
DISAPPROVAL = about(
    """is not okay | shouldn't be allowed | is plain wrong | was a terrible idea |
    sets a bad example""",
    """no, that's not true | I disagree | don't do this | you shouldn't talk to her like that |
    that's a bad take | I don't think so | nope | this is not the place for it |
    I can't support that | that isn't how it went at all | hard pass from me""",
)
JOY = about(
    """makes me so happy | put a smile on my face | is so much fun | made the whole week |
    is exactly what I needed""",
    """I'm so excited | best birthday ever | we won! | I finally got the job |
    happy new year, all | I had a wonderful time | yay | so glad it worked out |
    I can't stop smiling | our little one took her first steps""",
)
GRATITUDE = Bag(
    expand(
        "{thanks} {reason}",
        thanks=phrases("thanks for | thank you so much for | thank you for | I appreciate"),
        reason=phrases("""the help | your kind words | the link | the quick answer |
            sharing this | the advice | the laugh | the warning | taking the time |
            the heads up | this post | explaining it so patiently | the recommendation"""),
    )
    + phrases("""thanks | thank you! | bless you | I owe you one | it means a lot to me |
        you saved me hours of work | thanks a ton, friend | I'm grateful for this place""")
)
LOVE = about(
    """is my favorite thing in the world | has my whole heart | is lovely |
    will always be special""",
    """I love this | I love you all | I adore her | love it | we love to see it |
    I have loved them since I was ten | my wife and I love this place | love this for you |
    I'm in love with that color""",
)
REMORSE = Bag(
    phrases("""I'm sorry | my bad | I apologize | I feel awful about it | sorry, I misread that |
        I shouldn't have said it | I regret selling mine | I was wrong and I'm sorry |
        oops, my fault | sorry for the late reply | I feel terrible for laughing |
        forgive me, I was tired | I wish I had called her back |
        it was my mistake, not yours""")
)
SURPRISE = about(
    """came out of nowhere | blew my mind | shocked me | is wilder than I thought |
    is bigger than I expected""",
    """wow | oh my god | no way | I can't believe it | I did not see that coming | holy crap |
    wait, really? | I'm amazed it still runs | who knew | I had no idea that was real |
    it was him all along?""",
)
NEUTRAL = about(
    """is on at eight | is by the same people | was filmed near here | comes in two sizes |
    starts next week | is on the second page | is about two brothers |
    is in the other room""",
    """I take the bus to work | he plays on the left side | it's the second one from the top |
    they moved to another city | the store opens at nine | I'm from the north |
    you need two eggs | she works at the library | it was raining | we had soup |
    the meeting is in room four | that's what the sign says | I have the older model |
    he is talking to [NAME] | [NAME] said it in the interview |
    I think it's the other way round | both are fine""",
    WORKS,
)
OPENERS = Bag(
    chain(
        phrases("""wow, | honestly, | lol, | man, | well, | okay, | yeah, | no, | so, | damn, |
            hey, | yes! | oh, | look, | true, | actually, | dude, | ngl, | tbh, | same here, |
            right? | [NAME], | oh my, | I mean, | and yet | hmm, | first of all,"""),
        (f"{name}," for name in NAMES),
        (f"hey {name}," for name in NAMES),
    )
)
TAILS = phrases("""
    lol | haha | lmao | though | anyway | tbh | imo | man | dude | buddy | again | I swear |
    folks | you know | so there's that | if that helps | but whatever | you two | my friend |
    just saying | or something like that | but that's just me | or maybe I'm just old |
    and that's that""")
CLOSERS = Bag(
    chain(
        TAILS,
        (f"{tail}{sign}" for tail in TAILS for sign in (".", "!", "...", " :)")),
        (f"{tail} {emoji}" for tail in TAILS[:3] for emoji in "😂😭🙌😊"),
        (f"{tail}, {name}" for tail in TAILS for name in NAMES[::4]),
        (".", "!", "..", "...", "!!", "!!!") * 2 + ("😂",),
    )
)
SHORT = Bag(
    chain(
        phrases("""no | ok | yes | lol | wow | yay | same | nope | haha | damn | thanks | nice |
            why? | oh no | my bad | so good | love it | good bot | gross | I agree | so true |
            not again | how? | yikes | welcome | great | sorry | what? | who? | cute | awesome |
            source?"""),
        (
            f"{word} {name}"
            for word in phrases("""thanks | sorry | poor | love you, | nice one, | no way, |
                oh, | wow, | good luck, | stop it, | same, | who is | miss you, | great job, |
                what is it,""")
            for name in NAMES
        ),
        (
            f"{word} {thing}"
            for word in ("love", "not", "hate", "wow,", "what about", "nice,")
            for thing in THINGS
        ),
        (f"{name}{mark}" for name in NAMES for mark in ("?", "!", "!!", "...", " lol", " haha")),
        (f"{n} {unit}" for n in range(2, 100) for unit in ("hours", "days", "bucks", "pts")),
    )
)
GLAD, SOUR, FLAT, CURIOUS = (Bag(block) for block in (PLEASED, UPSET, PLAIN, ASKING + PLAIN))
ENGLISH = Language(
    recipes=(
        Recipe(0.295, NEUTRAL, DETAILS, FLAT),
        Recipe(0.172, ADMIRATION, DETAILS, GLAD),
        Recipe(0.070, CURIOSITY, (WHEN,), CURIOUS),
        Recipe(0.065, SADNESS, DETAILS, SOUR),
        Recipe(0.063, ANNOYANCE, DETAILS, SOUR),
        Recipe(0.057, OPTIMISM, DETAILS, GLAD),
        Recipe(0.052, AMUSEMENT, DETAILS, GLAD),
        Recipe(0.050, GRATITUDE, DETAILS, GLAD),
        Recipe(0.040, JOY, DETAILS, GLAD),
        Recipe(0.038, DISAPPROVAL, DETAILS, SOUR),
        Recipe(0.036, ANGER, DETAILS, SOUR),
        Recipe(0.035, LOVE, DETAILS, GLAD),
        Recipe(0.017, SURPRISE, DETAILS, CURIOUS),
        Recipe(0.010, REMORSE, (WHEN,), SOUR),
    ),
    openers=OPENERS,
    closers=CLOSERS,
    short=SHORT,
    question_mark="?",
    ends=("", "", ".", ".", ".", ".", "!", "..."),
    lower_case_share=0.06,
    bare_share=0.06,
    typo_share=0.06,
    bare=str.maketrans({"'": ""}),
)
