"""Invented people, firms and places. Pure.

Every address ends in ``.example`` and every phone number lies in a range that its regulator keeps
for fiction, so that nobody real is ever written to or called.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Tongue:
    """How people and firms are called where one language is spoken."""

    first: tuple[str, ...]
    last: tuple[str, ...]
    places: tuple[str, ...]
    endings: tuple[str, ...]
    trades: tuple[str, ...]
    forms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Country:
    """Where a lead works: its share of leads, sales team (none: not served), zone and cities.

    ``phone`` has ``#`` for the digits that vary; a firm's number may be its group's abroad.
    """

    code: str
    share: int
    team: str
    zone: str
    tongue: str
    phone: str
    cities: tuple[str, ...]


TONGUES: Mapping[str, Tongue] = MappingProxyType(
    {
        "de": Tongue(
            first=(
                "Anke", "Bernd", "Carola", "Dieter", "Elke", "Falk", "Gesine", "Holger", "Ines",
                "Jochen", "Katrin", "Lutz", "Maren", "Norbert", "Petra", "Ralf", "Silke",
                "Torsten", "Ute", "Volker", "Wiebke", "Yvonne", "Jannis", "Theresa",
            ),
            last=(
                "Althoff", "Bergkamp", "Brodesser", "Dallmann", "Eichhorst", "Fehling", "Grothe",
                "Hagedorn", "Ihlenfeld", "Jungclaus", "Kallweit", "Lindhorst", "Mertesacker",
                "Niederau", "Oberwinter", "Pankratz", "Quandel", "Rautenberg", "Sassenfeld",
                "Trautwein", "Uhlenbrock", "Vosskamp", "Weidlich", "Zellmann", "Doležan",
                "Kesterwald", "Morgenroth", "Siebenhaar",
            ),
            places=(
                "Kester", "Hal", "Brom", "Eller", "Fahren", "Gers", "Hoch", "Isen", "Karl",
                "Lenn", "Mark", "Nord", "Oster", "Ruhr", "Sieg", "Tann", "Wester", "Zoll",
            ),
            endings=("wald", "bach", "feld", "tal", "born", "au"),
            trades=(
                "Pumpen", "Gusswerk", "Keramik", "Armaturen", "Antriebe", "Verpackung",
                "Walzwerk", "Getriebe", "Papier", "Kunststoff", "Mühlen", "Turbinen",
            ),
            forms=("GmbH", "AG", "KG"),
        ),
        "sv": Tongue(
            first=(
                "Anders", "Birgitta", "Carina", "Elias", "Frida", "Gustav", "Hedvig", "Ingrid",
                "Joakim", "Karin", "Linnea", "Mattias", "Nils", "Oskar", "Pernilla", "Rasmus",
                "Sofie", "Tove", "Ulrika", "Viktor",
            ),
            last=(
                "Åkerholm", "Björkvall", "Dalgren", "Ekstam", "Forsling", "Granfelt", "Haugland",
                "Isaksberg", "Kvistad", "Lundmark", "Malmquist", "Nordvik", "Oxenhed", "Sandgren",
                "Sundvik", "Tjernell", "Vallberg", "Westrin", "Ylander", "Östberg",
            ),
            places=(
                "Sund", "Väster", "Norr", "Lind", "Gran", "Hammar", "Kopp", "Dal", "Åker",
                "Skogs", "Stor", "Mälar", "Älv", "Bro",
            ),
            endings=("vik", "fors", "holm", "torp"),
            trades=(
                "Kvarn", "Papper", "Stål", "Gjuteri", "Pumpar", "Sågverk", "Energi", "Plåt",
                "Mekaniska", "Lager",
            ),
            forms=("AB",),
        ),
        "no": Tongue(
            first=(
                "Astrid", "Bjarne", "Camilla", "Dag", "Eirik", "Guro", "Halvard", "Ingvild",
                "Jorunn", "Ketil", "Liv", "Morten", "Nina", "Ola", "Ragnhild", "Sindre", "Tuva",
                "Vegard",
            ),
            last=(
                "Aasgaard", "Brekkhus", "Dyrdal", "Eidsvik", "Fossmark", "Gjelsten", "Haugeland",
                "Kvamme", "Lervik", "Myhrstad", "Nesheim", "Rognli", "Solheim", "Tveitan",
                "Ulvund", "Vestre",
            ),
            places=(
                "Fjell", "Nes", "Vest", "Lang", "Dal", "Stor", "Havn", "Foss", "Berg", "Sogn",
                "Tind", "Vik",
            ),
            endings=("heim", "vik", "nes", "dal"),
            trades=(
                "Mek", "Aluminium", "Fôr", "Verft", "Energi", "Pumpe", "Sement", "Maritim",
                "Treforedling",
            ),
            forms=("AS", "ASA"),
        ),
        "da": Tongue(
            first=(
                "Anja", "Bent", "Charlotte", "Ditte", "Esben", "Flemming", "Gitte", "Henrik",
                "Jesper", "Kirsten", "Lars", "Mette", "Nanna", "Ole", "Rikke", "Søren", "Trine",
                "Ulrik",
            ),
            last=(
                "Aagesholt", "Bjerring", "Dahlgaard", "Enevold", "Fruergaard", "Grønbæk",
                "Hjortshøj", "Krogager", "Lindegaard", "Mosegaard", "Nørskov", "Ravnholt",
                "Skovgaard", "Thorsager", "Vestergren",
            ),
            places=(
                "Nørre", "Sønder", "Øster", "Mose", "Skov", "Grøn", "Hav", "Bakke", "Dyb",
                "Ring", "Sand", "Ager",
            ),
            endings=("holt", "ager", "bro", "lund"),
            trades=(
                "Maskinfabrik", "Pumper", "Mejeri", "Plast", "Vindkraft", "Beton", "Køling",
                "Emballage",
            ),
            forms=("A/S", "ApS"),
        ),
        "fi": Tongue(
            first=(
                "Aino", "Eero", "Helmi", "Ilkka", "Jukka", "Kaisa", "Lauri", "Marja", "Niko",
                "Outi", "Pekka", "Riikka", "Sampo", "Tuuli", "Väinö",
            ),
            last=(
                "Ahokas", "Hakala", "Järventaus", "Kallioinen", "Laaksola", "Metsälä",
                "Niemelä", "Ojaniemi", "Peltonen", "Rantakari", "Suvanto", "Tuomela", "Vuorenmaa",
            ),
            places=(
                "Kymi", "Pohja", "Suur", "Meri", "Koski", "Harju", "Lahti", "Metsä", "Joki",
                "Saari",
            ),
            endings=("ranta", "niemi", "la", "vaara"),
            trades=("Board", "Konepaja", "Teräs", "Sellu", "Telakka", "Voima", "Hydrauliikka"),
            forms=("Oy", "Oyj"),
        ),
        "fr": Tongue(
            first=(
                "Adèle", "Bastien", "Clémence", "Damien", "Élodie", "Fabrice", "Gaëlle",
                "Hugues", "Inès", "Jérôme", "Karine", "Loïc", "Maëlle", "Nicolas", "Odile",
                "Pascal", "Romane", "Sylvain", "Thibault", "Violette",
            ),
            last=(
                "Aubrière", "Bonnefoy", "Chassagne", "Delmotte", "Escoffon", "Fontanel",
                "Garrigue", "Hautbois", "Joubertin", "Lacaussade", "Marchenoir", "Nivelle",
                "Ourliac", "Perrachon", "Quintard", "Roquefeuil", "Sauvageot", "Tardivel",
                "Verdelhan", "Ysambert",
            ),
            places=(
                "Lormont", "Vallon", "Bresse", "Mirande", "Sauve", "Clairac", "Brive", "Nérac",
                "Arbois", "Seyne", "Thiers", "Vertou", "Dorne",
            ),
            endings=("", "-Est", " Frères", " & Fils"),
            trades=(
                "Emballages", "Fonderie", "Céramique", "Pompes", "Papeterie", "Mécanique",
                "Laiterie", "Plasturgie", "Aciérie",
            ),
            forms=("SAS", "SA", "SARL"),
        ),
        "en": Tongue(
            first=(
                "Alice", "Brendan", "Carys", "Dominic", "Eleanor", "Fergus", "Gemma", "Harriet",
                "Isobel", "Jasper", "Kirsty", "Lewis", "Moira", "Nerys", "Oliver", "Priya",
                "Rhys", "Sunita", "Tamsin", "Winston",
            ),
            last=(
                "Ashworthy", "Birchall", "Calderby", "Dunmorrow", "Ecclestone", "Fernhurst",
                "Garroway", "Holbrooke", "Inglethorpe", "Kettlewell", "Lockhurst", "Marlowe",
                "Netherton", "Okonjo", "Pemberly", "Ravenscar", "Stainforth", "Thorley",
                "Underhill", "Whitcombe", "Mehrotra", "Venkatesan",
            ),
            places=(
                "Calder", "Aire", "Wold", "Fell", "Marsh", "Thorn", "Ash", "Beck", "Don", "Kirk",
                "Mere", "Stan", "Wharf",
            ),
            endings=("ton", "ford", "ley", "worth"),
            trades=(
                "Forge", "Castings", "Packaging", "Pumps", "Bearings", "Ceramics", "Paper",
                "Polymers", "Dairies", "Valves",
            ),
            forms=("Ltd", "plc"),
        ),
    }
)  # fmt: skip

_BERLIN, _PARIS, _LONDON, _STOCKHOLM = (
    "+493023125###", "+3319900####", "+442079460###", "+4684650####",
)  # fmt: skip
#: A prime that divides no number of shapes: stepping by it visits each shape once.
_STRIDE = 7919
DACH, NORDICS, WEST = "DACH", "Nordics", "France and UK"

COUNTRIES = (
    Country("DE", 27, DACH, "Europe/Berlin", "de", _BERLIN,
            ("Esslingen", "Chemnitz", "Jena", "Emden", "Passau", "Hagen", "Siegen", "Bremen")),
    Country("AT", 6, DACH, "Europe/Vienna", "de", _BERLIN, ("Linz", "Graz", "Wels", "Steyr")),
    Country("CH", 5, DACH, "Europe/Zurich", "de", _BERLIN, ("Winterthur", "Olten", "Thun")),
    Country("SE", 13, NORDICS, "Europe/Stockholm", "sv", _STOCKHOLM,
            ("Malmö", "Sundsvall", "Västerås", "Örebro", "Borås")),
    Country("NO", 7, NORDICS, "Europe/Oslo", "no", _STOCKHOLM, ("Bergen", "Stavanger", "Skien")),
    Country("DK", 6, NORDICS, "Europe/Copenhagen", "da", _STOCKHOLM,
            ("Odense", "Aalborg", "Kolding")),
    Country("FI", 5, NORDICS, "Europe/Helsinki", "fi", _STOCKHOLM, ("Tampere", "Oulu", "Lahti")),
    Country("FR", 14, WEST, "Europe/Paris", "fr", _PARIS,
            ("Lyon", "Roubaix", "Nantes", "Grenoble", "Le Havre")),
    Country("GB", 13, WEST, "Europe/London", "en", _LONDON,
            ("Sheffield", "Hull", "Coventry", "Stoke", "Cardiff")),
    Country("US", 2, "", "America/Chicago", "en", "+131255501##", ("Toledo", "Peoria")),
    Country("IN", 2, "", "Asia/Kolkata", "en", "", ("Pune", "Coimbatore")),
)  # fmt: skip


#: Letters that lose more than an accent in an address.
_SPELT = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae", "ß": "ss"}
)


@dataclass(frozen=True, slots=True)
class Firm:
    """An invented firm, by name and domain."""

    name: str
    domain: str


def make_firm(number: int, tongue: Tongue) -> Firm:
    """Return firm ``number`` of a language; the domain is its own, the name comes round.

    Neighbouring numbers give unlike names.
    """
    shapes = len(tongue.places) * len(tongue.endings) * len(tongue.trades)
    generation, shape = divmod(number, shapes)
    rest, place = divmod(shape * _STRIDE % shapes, len(tongue.places))
    trade, ending = divmod(rest, len(tongue.endings))
    where = f"{tongue.places[place]}{tongue.endings[ending]}"
    form = tongue.forms[(shape + generation) % len(tongue.forms)]
    suffix = f"-{generation + 1}" if generation else ""
    domain = f"{spelt(where)}-{spelt(tongue.trades[trade])}{suffix}.example"
    return Firm(f"{where} {tongue.trades[trade]} {form}", domain)


def spelt(text: str) -> str:
    """Return ``text`` as it stands in an address: ``La Fôret & Fils`` is ``la-foret-fils``."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_SPELT))
    words = re.findall("[a-z0-9]+", plain.encode("ascii", "ignore").decode())
    return "-".join(words)


def phone_number(country: Country, rng: Random) -> str:
    """Return a number nobody has, empty where fiction has no range."""
    return "".join(str(rng.randrange(10)) if sign == "#" else sign for sign in country.phone)
