"""French: requests to an assistant that finds and books, and what people say to it besides."""

from itertools import chain

from nlpserve.sentences_grammar import Bag, Language, Recipe, expand, phrases

CITIES = phrases("""
    Agen | Albi | Amiens | Angers | Annecy | Arles | Arras | Auxerre | Avignon | Bayonne |
    Beaune | Belfort | Biarritz | Blois | Bordeaux | Bourges | Brest | Caen | Cahors | Calais |
    Cannes | Castres | Chartres | Cholet | Colmar | Dax | Dieppe | Dijon | Dinan | Dole |
    Épinal | Évreux | Foix | Gap | Grenoble | Guéret | Laon | Laval | Lens | Lille | Limoges |
    Lorient | Lyon | Mâcon | Marseille | Melun | Metz | Millau | Nantes | Nevers | Nice | Nîmes |
    Niort | Orléans | Paris | Pau | Périgueux | Poitiers | Quimper | Reims | Rennes | Roanne |
    Rodez | Rouen | Saintes | Saint-Malo | Saumur | Sète | Strasbourg | Tarbes | Toulon |
    Toulouse | Tours | Troyes | Tulle | Valence | Vannes | Vichy | Vienne""")
ABROAD = phrases("""
    Athènes | Barcelone | Berlin | Bucarest | Copenhague | Dakar | Dublin | Lisbonne | Londres |
    Marrakech | Milan | Montréal | Naples | New York | Oslo | Porto | Prague | Rome | Séville |
    Stockholm | Tokyo | Tunis | Varsovie""")
DISTRICTS = phrases("""
    près de la gare | en centre-ville | dans le vieux quartier | au bord du canal |
    vers la mairie | à côté de l'université | pas loin de la plage | du côté du port |
    près de mon bureau | dans le quartier | à deux rues d'ici | autour de la cathédrale |
    près de l'hôpital | à dix minutes à pied""")
MONTHS = phrases("""
    janvier | février | mars | avril | mai | juin | juillet | août | septembre | octobre |
    novembre | décembre""")
NUMBERS = phrases("deux | trois | quatre | cinq | six | sept | huit | dix | douze")
HOURS = tuple(f"{hour}h{minute}" for hour in range(6, 24) for minute in ("", "15", "30", "45"))
DAYS = phrases("""
    aujourd'hui | demain | après-demain | ce soir | demain matin | lundi | mardi soir |
    mercredi après-midi | jeudi midi | vendredi | samedi soir | dimanche | ce week-end |
    la semaine prochaine | le mois prochain | pendant les vacances | à la Toussaint |
    pour Noël""")
DATES = tuple(f"le {day} {month}" for day in range(2, 31, 3) for month in MONTHS)
WHEN = Bag(DAYS + DATES + expand("vers {hour}", hour=HOURS) + expand("à {hour}", hour=HOURS))
WHERE = Bag(expand("à {city}", city=CITIES) + expand("sur {city}", city=CITIES) + DISTRICTS)
PRICE = Bag(
    chain(
        (f"pour {euros} euros maximum" for euros in range(15, 400, 15)),
        (f"à moins de {euros}€" for euros in range(10, 300, 10)),
        (f"budget {euros}€" for euros in range(20, 600, 20)),
        phrases("pas trop cher | le moins cher possible | sans me ruiner | si possible en promo"),
    )
)
PEOPLE = Bag(
    expand("pour {n} personnes", n=NUMBERS)
    + expand("pour {n}", n=NUMBERS)
    + expand("pour {n} adultes et un bébé", n=NUMBERS)
    + phrases("""pour moi et ma sœur | avec mes parents | pour un couple | pour ma mère et moi |
        avec un chien | pour toute l'équipe | en famille | pour un groupe d'amis""")
)
WANTS = phrases("""
    je cherche | je voudrais | je veux | j'aimerais | trouve-moi | trouve moi | il me faut |
    il me faudrait | j'ai besoin d' | cherche-moi | recherche | réserve-moi | on cherche |
    nous aimerions | tu peux me trouver ? | peux-tu me trouver ? | pouvez-vous me proposer ? |
    tu pourrais me chercher ? | est-ce que tu peux m'avoir ? | tu me conseilles ? |
    est-ce que tu connais ? | aurais-tu ? | je suis à la recherche d' | je souhaite réserver |
    tu aurais une idée pour ? | aide-moi à trouver""")


def wanted(*things: tuple[str, ...]) -> tuple[str, ...]:
    """Every way to ask for each thing, its article included; and the thing without a word more."""
    requests = []
    for want in WANTS:
        asks = " ?" in want
        head = want.removesuffix(" ?")
        gap = "" if head.endswith("'") else " "
        mark = "?" if asks else ""
        requests += [f"{head}{gap}{thing}{mark}" for thing in chain(*things)]
    bare = [thing.partition(" ")[2] for thing in chain(*things)]
    return tuple(requests + bare)


THANKS = phrases("""
    merci d'avance | je compte vraiment sur toi | réponds-moi vite | c'est assez urgent |
    préviens-moi dès que tu as quelque chose | je n'y connais rien du tout |
    c'est pour faire une surprise à mon frère | on sera un peu en retard |
    si c'est complet, propose autre chose | je préfère payer sur place | je regarde ça ce soir |
    la dernière fois j'avais été très déçue | envoie-moi le lien | sinon je me débrouillerai |
    j'ai déjà regardé partout sans rien trouver | ma femme n'est libre qu'en fin de journée |
    il faut que ce soit facile d'accès en fauteuil | je n'ai pas de voiture en ce moment |
    on fête les quatre-vingts ans de ma grand-mère | dis-moi aussi combien ça coûte""")

TRAINS = wanted(
    expand(
        "un {kind}",
        kind=phrases("train | TGV | TER | billet de train | aller-retour en train | train de nuit"),
    ),
    phrases("une place dans le TGV | une place côté fenêtre dans le train"),
) + phrases("""
    quel est le prochain train? | à quelle heure part le dernier TER? | mon train a du retard? |
    combien de temps dure le trajet en train? | horaires des trains |
    le train de ce matin roule?""")
FLIGHTS = wanted(
    expand(
        "un {kind}",
        kind=phrases("""vol | vol direct | billet d'avion | vol aller-retour | vol pas cher |
            vol sans escale"""),
    )
) + phrases("""
    à quelle heure décolle le premier avion? | combien coûte un vol? |
    quelles compagnies y vont? | l'avion de midi est à l'heure? | prix des billets d'avion""")
ROUTES = Bag(
    expand("pour {to}", to=CITIES)
    + expand("vers {to}", to=CITIES)
    + expand("de {start} à {to}", start=CITIES[::3], to=CITIES[1::3])
    + expand("au départ de {start}", start=CITIES)
)
FLIGHT_ROUTES = Bag(
    expand("pour {to}", to=ABROAD)
    + expand("de {start} à {to}", start=CITIES[::6], to=ABROAD)
    + expand("depuis {start}", start=CITIES)
)
HOTELS = wanted(
    expand(
        "un {kind}",
        kind=phrases("""hôtel | petit hôtel | hôtel calme | hôtel avec piscine | gîte | camping |
            appartement à louer | hôtel trois étoiles | hébergement | mobil-home"""),
    ),
    phrases("""une chambre | une chambre double | une chambre d'hôtes | une auberge de jeunesse |
        une location de vacances | une nuit d'hôtel | une maison avec jardin"""),
) + phrases("où dormir? | où passer la nuit? | on peut dormir où?")
NIGHTS = Bag(
    expand("pour {n} nuits", n=NUMBERS)
    + expand("avec {extra}", extra=phrases("petit déjeuner | parking | vue sur mer | sauna | wifi"))
)
RESTAURANTS = wanted(
    expand(
        "un {kind} {style}",
        kind=phrases("restaurant | resto | restau | petit resto"),
        style=phrases("""italien | japonais | libanais | indien | thaï | grec | breton | coréen |
            marocain | végétarien | de fruits de mer | de quartier | gastronomique |
            péruvien"""),
    ),
    phrases("""une table | une pizzeria | une crêperie | une brasserie | un restaurant |
        une bonne table | une cantine pour midi | un endroit où manger un couscous"""),
) + phrases("où manger? | on mange où? | où dîner? | j'ai envie de sushis | j'ai faim")
TASTES = Bag(
    phrases("""avec terrasse | avec une salle au calme | ouvert tard | qui accepte les chiens |
        sans gluten | avec un menu enfant | où l'on mange bien | à volonté | avec vue |
        bien noté""")
)
GOODS = wanted(
    expand(
        "un {thing}",
        thing=phrases("""grille-pain | casque audio | vélo pliant | sac à dos | lave-linge |
            coussin d'allaitement | jeu de société | tapis de course | manteau d'hiver | canapé |
            téléphone reconditionné | pyjama rayé | réveil | barbecue à gaz | parfum | carnet |
            aspirateur sans fil | robot de cuisine | chargeur | fer à repasser |
            maillot de bain"""),
    ),
    expand(
        "une {thing}",
        thing=phrases("""montre connectée | paire de baskets | lampe de chevet | trottinette |
            poussette | housse de couette | robe bleue | imprimante | cafetière | perceuse |
            boîte de chocolats | plante verte | guitare d'occasion | table basse |
            bouilloire"""),
    ),
) + phrases("""
    où acheter des piles rondes? | commande-moi des fleurs |
    j'achète où des cartouches d'encre? | quel est le meilleur prix pour une tablette? |
    rachète-moi du thé vert""")
WISHES = Bag(
    phrases("""pour mon fils | pour ma fille de huit ans | en taille 42 | en noir | d'occasion |
        livré à la maison | de bonne qualité | fabriqué en France | facile à nettoyer |
        pour un anniversaire | comme celui de mon voisin | avec garantie | en rouge foncé""")
)
SPOTS = phrases("""
    pharmacie | boulangerie | laverie | piscine | poste | station-service | bibliothèque |
    fromagerie | déchetterie | salle de sport | cordonnerie | librairie | épicerie |
    crèche""")
PLACES = wanted(
    expand(
        "un {kind}",
        kind=phrases("""garage | coiffeur | dentiste | serrurier | parc | marché | parking |
            distributeur | bar sympa | musée ouvert | vétérinaire | terrain de tennis |
            fleuriste"""),
    ),
    expand("une {kind}", kind=SPOTS),
) + expand(
    "{ask}{kind}{rest}?",
    ask=phrases("où est la | où se trouve la | elle est où la | quelle est la"),
    kind=tuple(f" {kind}" for kind in SPOTS),
    rest=(" la plus proche", " de garde", ""),
)
FILMS = phrases("""
    Le Phare d'hiver | La Nuit des loutres | Zéro Absolu 2 | Les Cousins du vent |
    Mademoiselle Rubis | Opération Tournesol | Un été sans fin | Le Dernier Horloger |
    Fantômes et Cie | Planète Sable | Les Voisines | Colère froide | Le Bal des escargots |
    Capitaine Lune""")
SHOWS = (
    expand(
        "{ask} {film}{mark}",
        ask=phrases("""horaires de | je voudrais voir | les séances pour | on va voir |
            séance de | trouve-moi un cinéma qui passe | donne-moi les horaires de |
            programme pour"""),
        film=FILMS,
        mark=("",),
    )
    + expand(
        "{ask} {film}?",
        ask=phrases("à quelle heure passe | où voir | ça joue encore | c'est à quelle heure"),
        film=FILMS,
    )
    + phrases("""
        qu'est-ce qui passe au cinéma? | programme du ciné | horaires du cinéma |
        films à l'affiche | quels films sortent mercredi? | les prochaines séances? |
        on se fait un ciné?""")
)
VERSIONS = Bag(
    phrases("""en VO | en VF | en 3D | en version originale sous-titrée | au Rex | au Palace |
        au multiplexe | en avant-première | dans une petite salle""")
)
TALK = phrases("""
    merci | merci beaucoup | bonne nuit | ça va? | tu es qui? | comment tu t'appelles? | super |
    c'est parfait | non merci | je ne sais pas encore | raconte-moi une blague |
    tu dors parfois? | il fait un temps affreux | mon chat a encore renversé sa gamelle |
    j'ai mal au dos | tu peux mettre de la musique? | est-ce que tu es un robot? |
    quel temps fera-t-il? | je voudrais modifier ma commande | laisse tomber | annule tout |
    j'ai changé d'avis | tu n'as rien compris | ce n'est pas ce que je t'ai demandé |
    tu es vraiment efficace | combien coûte ton service? | qui t'a programmé? |
    j'ai perdu mes clés | mon téléphone rame | traduis-moi bonjour en suédois |
    rappelle-moi d'arroser les tomates | où en est mon colis? |
    c'est quoi la capitale du Pérou? | combien font douze fois treize? | je m'ennuie |
    je n'arrive pas à dormir en ce moment | mon voisin fait trop de bruit | il pleut encore |
    appelle ma mère | envoie un message à Paul | mets un minuteur de dix minutes |
    j'ai réparé ma bibliothèque tout seul | on a gagné le match d'hier | tu parles anglais? |
    comment on enlève une tache de vin? | ma voiture ne démarre plus | je suis fatiguée |
    tu crois aux fantômes? | quelle heure est-il? | j'hésite encore entre les deux |
    mon médecin m'a dit de marcher davantage | tu as des nouvelles de ma réservation? |
    comment déclarer un déménagement? | j'ai reçu la mauvaise couleur | je te remercie |
    aide-moi à écrire une lettre de motivation | c'est toi qui décides | on verra bien |
    explique-moi comment marche un emprunt | parle-moi de toi | je préfère la première option |
    on a repeint la chambre du petit en vert pomme et il déteste déjà la couleur |
    je me demande si je dois accepter le poste qu'on m'a proposé à Bruxelles |
    tu peux m'expliquer la différence entre un prêt et un crédit-bail? | ça dépend du prix |
    je viens d'emménager et la chaudière fait un bruit de casserole | avec plaisir |
    à quel étage? | mets-moi au courant dès que le colis est arrivé au relais |
    entre midi et deux | sans sucre""")
ANSWERS = expand(
    "{start} {rest}",
    start=phrases("plutôt | disons | alors | ce sera | mettons | non,"),
    rest=chain(DAYS, PEOPLE.fragments, PRICE.fragments),
)
TALK_DETAILS = (
    Bag(
        phrases("""quand même | en tout cas | du coup | pour de vrai | sérieusement |
            comme d'habitude | depuis ce matin | si tu veux | à vrai dire | en fait |
            apparemment | une fois de plus""")
    ),
    Bag(phrases("mon ami | chef | toi | mon génie | l'assistant | monsieur le robot")),
)
TALK_MORE = phrases("""
    je ne sais plus quoi faire | mon frère dit le contraire | on en reparle plus tard |
    c'était mieux avant | ça m'a bien fait rire | je t'expliquerai |
    j'avais pourtant bien vérifié | tout le monde me pose la question | ça n'a aucun sens |
    ma collègue m'a parlé de toi | j'ai tout essayé, même de redémarrer | ne t'inquiète pas |
    il paraît que tu réponds à tout | je suis curieux de voir ta réponse |
    je te laisse deviner la suite | les enfants sont chez leur grand-père jusqu'à dimanche |
    le chauffage est encore en panne""")
OPENERS = Bag(
    phrases("""bonjour, | salut, | bonsoir, | coucou, | hello, | dis, | stp | svp | alors, |
        bon, | dis-moi, | s'il te plaît, | bonjour à toi, | excuse-moi, | ok, | et sinon, |
        au fait,""")
)
POLITE = phrases("""
    stp | svp | merci | merci bien | s'il te plaît | s'il vous plaît | merci d'avance |
    bonne journée | merci beaucoup | à bientôt | merci pour ton aide | je te remercie d'avance |
    bises | cordialement | merci et bonne soirée à toi | bon courage | bien à vous |
    à plus""")
CLOSERS = Bag(
    chain(
        POLITE,
        (f", {polite}" for polite in POLITE),
        (f"{polite} {sign}" for polite in POLITE[::2] for sign in ("!", ":)", "🙂")),
        ("...", " !", "..") * 3 + ("👍",),
    )
)
SHORT = Bag(
    chain(
        phrases("""oui | non | ok | ah | si | bof | euh | hein | quoi | merci | salut | super |
            stop | bonjour | bonsoir | d'accord | parfait | génial | ça va ? | pourquoi ? |
            et toi ? | où ? | combien ? | peut-être | bien sûr | plus tard | c'est bon |
            pas mal | aucune idée | tant pis | bonne idée | à demain | je sais | comme tu veux |
            rien d'autre | vas-y"""),
        (f"{hour}h{minute:02d}" for hour in range(24) for minute in range(0, 60, 5)),
        (f"vers {hour}" for hour in HOURS),
        (f"{euros}€" for euros in range(1, 400)),
        (f"{euros} euros" for euros in range(5, 300, 5)),
        (f"{number} personnes" for number in NUMBERS),
        (f"{day} {month}" for day in range(2, 31) for month in MONTHS),
        CITIES,
        (f"à {city}" for city in CITIES),
        (f"{word} {city}" for word in ("hôtel", "train", "resto", "ciné") for city in CITIES),
        (f"{word} {day}" for word in ("oui", "non", "plutôt", "disons") for day in DAYS),
        DAYS,
    )
)
MORE = Bag(THANKS)
FRENCH = Language(
    recipes=(
        Recipe(0.64, Bag(TALK * 16 + ANSWERS), TALK_DETAILS, Bag(TALK_MORE + THANKS)),
        Recipe(0.10, Bag(GOODS), (WISHES, PRICE, WHERE), MORE),
        Recipe(0.08, Bag(RESTAURANTS), (WHERE, TASTES, PEOPLE, WHEN, PRICE), MORE),
        Recipe(0.06, Bag(PLACES), (WHERE, WHEN), MORE),
        Recipe(0.05, Bag(HOTELS), (WHERE, PEOPLE, NIGHTS, WHEN, PRICE), MORE),
        Recipe(0.025, Bag(TRAINS), (ROUTES, WHEN, PEOPLE), MORE),
        Recipe(0.025, Bag(FLIGHTS), (FLIGHT_ROUTES, WHEN, PRICE), MORE),
        Recipe(0.02, Bag(SHOWS), (VERSIONS, WHERE, WHEN), MORE),
    ),
    openers=OPENERS,
    closers=CLOSERS,
    short=SHORT,
    question_mark=" ?",
    ends=("",) * 14 + (".", ".", ".", " !", "..."),
    lower_case_share=0.2,
    bare_share=0.08,
    typo_share=0.08,
    bare=str.maketrans(dict(zip("éèêëàâîïôùûçÉ'", "eeeeaaiiouucE ", strict=True))),
)
