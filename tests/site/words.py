"""Words of which sentences are made, in eight languages: enough to tell which language it is, and never the same text.

Each sentence is somebody, a deed, a thing and an ending, drawn by the article's own dice.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Language:
    code: str
    who: tuple[str, ...]
    deed: tuple[str, ...]
    thing: tuple[str, ...]
    ending: tuple[str, ...]
    aside: tuple[str, ...]
    pattern: str = "{who} {deed} {thing} {ending}."
    heading: str = "{who} {deed} {thing}"
    joint: str = " "
    by: str = "By"

    def title(self, dice: random.Random) -> str:
        said = self.heading.format(
            who=dice.choice(self.who), deed=dice.choice(self.deed), thing=dice.choice(self.thing)
        )
        return said[0].upper() + said[1:]

    def sentence(self, dice: random.Random) -> str:
        if dice.random() < 0.2:
            return dice.choice(self.aside)
        said = self.pattern.format(
            who=dice.choice(self.who), deed=dice.choice(self.deed), thing=dice.choice(self.thing),
            ending=dice.choice(self.ending),
        )  # fmt: skip
        return said[0].upper() + said[1:]

    def paragraph(self, dice: random.Random, sentences: int) -> str:
        return self.joint.join(self.sentence(dice) for _ in range(sentences))


ENGLISH: Final = Language(
    "en",
    ("the harbour council", "a retired baker", "the new librarian", "our correspondent", "the ferry company",
     "a class of twelve pupils", "the regional court", "an engineer from the waterworks", "the village choir"),
    ("has repaired", "will reopen", "is looking for", "has measured", "does not want to sell", "has photographed",
     "promises to protect", "has drawn a map of"),
    ("the old stone bridge", "the lighthouse on the northern pier", "forty barrels of cider", "the railway museum",
     "a forgotten orchard", "the town's water mill", "three unknown letters", "the winter timetable"),
    ("before the first snow falls", "although nobody had asked for it", "with the help of many neighbours",
     "for the second time in ten years", "as the minutes of the meeting show", "at a cost that surprised everybody",
     "while the tide was out"),
    ("Nobody at the meeting on Thursday objected.", "The decision is expected within the next few weeks.",
     "What happens after that is still an open question.", "Those who were there speak of it with a smile.",
     "A spokeswoman confirmed this when we asked her."),
)  # fmt: skip
GERMAN: Final = Language(
    "de",
    ("der Gemeinderat", "eine pensionierte Lehrerin", "die Fährgesellschaft", "der neue Förster", "das Amtsgericht",
     "ein Schüler aus Büsum", "die örtliche Feuerwehr", "der Müller von Großköhren"),
    ("repariert", "sucht", "verkauft", "vermisst", "fotografiert", "schützt", "erklärt", "öffnet"),
    ("die alte Brücke über den Fluss", "das Mühlrad am Bach", "vierzig Fässer Apfelwein", "das Eisenbahnmuseum",
     "einen vergessenen Obstgarten", "drei unbekannte Briefe", "den Fahrplan für den Winter", "das Gemälde im Rathaus"),
    ("noch vor dem ersten Schnee", "obwohl niemand danach gefragt hatte", "mit der Hilfe vieler Nachbarn",
     "zum zweiten Mal in zehn Jahren", "wie das Protokoll der Sitzung zeigt", "zu einem überraschend hohen Preis"),
    ("In der Sitzung am Donnerstag widersprach niemand.", "Die Entscheidung wird in den nächsten Wochen erwartet.",
     "Was danach geschieht, ist noch völlig offen.", "Wer dabei war, erzählt davon mit einem Lächeln."),
    by="Von",
)  # fmt: skip
FRENCH: Final = Language(
    "fr",
    ("le conseil municipal", "une boulangère à la retraite", "la compagnie des bacs", "le nouveau bibliothécaire",
     "notre envoyée spéciale", "le tribunal régional", "une élève de douze ans", "la chorale du village"),
    ("a réparé", "cherche", "veut protéger", "a photographié", "refuse de vendre", "a mesuré", "rouvrira bientôt",
     "a dessiné"),
    ("le vieux pont de pierre", "le phare de la jetée nord", "quarante tonneaux de cidre", "le musée du chemin de fer",
     "un verger oublié", "trois lettres inconnues", "l’horaire d’hiver", "la maison du forgeron"),
    ("avant les premières neiges", "bien que personne ne l’ait demandé", "avec l’aide de nombreux voisins",
     "pour la deuxième fois en dix ans", "à un prix qui a étonné tout le monde", "pendant que la mer était basse"),
    ("Personne ne s’y est opposé lors de la réunion de jeudi.", "La décision est attendue dans les semaines à venir.",
     "La suite reste une question ouverte.", "Ceux qui étaient là en parlent avec le sourire."),
    by="Par",
)  # fmt: skip
SPANISH: Final = Language(
    "es",
    ("el ayuntamiento", "una panadera jubilada", "la compañía de transbordadores", "el nuevo bibliotecario",
     "nuestra corresponsal", "el tribunal regional", "un niño de doce años", "el coro del pueblo"),
    ("ha reparado", "busca", "quiere proteger", "ha fotografiado", "no quiere vender", "ha medido", "reabrirá pronto"),
    ("el viejo puente de piedra", "el faro del muelle norte", "cuarenta barriles de sidra", "el museo del ferrocarril",
     "un huerto olvidado", "tres cartas desconocidas", "el horario de invierno", "la casa del señor Muñoz"),
    ("antes de las primeras nieves", "aunque nadie lo había pedido", "con la ayuda de muchos vecinos",
     "por segunda vez en diez años", "a un precio que sorprendió a todos", "mientras la marea estaba baja"),
    ("Nadie se opuso en la reunión del jueves.", "La decisión se espera en las próximas semanas.",
     "Qué ocurrirá después sigue siendo una incógnita.", "Quienes estuvieron allí lo cuentan con una sonrisa."),
    by="Por",
)  # fmt: skip
POLISH: Final = Language(
    "pl",
    ("rada gminy", "emerytowana nauczycielka", "spółka promowa", "nowa bibliotekarka", "nasza korespondentka",
     "sąd okręgowy", "uczennica szóstej klasy", "ochotnicza straż pożarna"),
    ("naprawia", "sprzedaje", "chroni", "fotografuje", "opisuje", "mierzy", "pokazuje mieszkańcom"),
    ("stary kamienny most", "młyn nad rzeką", "czterdzieści beczek cydru", "muzeum kolei", "zapomniany sad",
     "trzy nieznane listy", "zimowy rozkład jazdy", "dom kowala na wzgórzu"),
    ("jeszcze przed pierwszym śniegiem", "choć nikt o to nie prosił", "z pomocą wielu sąsiadów",
     "po raz drugi w ciągu dziesięciu lat", "jak wynika z protokołu", "za zaskakująco wysoką cenę"),
    ("Na czwartkowym zebraniu nikt się nie sprzeciwił.", "Decyzja zapadnie w najbliższych tygodniach.",
     "Co będzie później, tego jeszcze nie wiadomo.", "Świadkowie wspominają to z uśmiechem."),
)  # fmt: skip
RUSSIAN: Final = Language(
    "ru",
    ("городской совет", "бывший пекарь", "новый библиотекарь", "наш корреспондент", "районный суд",
     "ученик шестого класса", "деревенский хор", "инженер водоканала"),
    ("осматривает", "ищет", "продаёт", "защищает", "фотографирует", "измеряет", "показывает жителям"),
    ("старый каменный мост", "маяк на северном молу", "сорок бочек сидра", "музей железной дороги",
     "забытый яблоневый сад", "три неизвестных письма", "зимнее расписание", "дом кузнеца у реки"),
    ("ещё до первого снега", "хотя никто об этом не просил", "с помощью многих соседей",
     "во второй раз за десять лет", "как следует из протокола", "за удивительно высокую цену"),
    ("На собрании в четверг никто не возражал.", "Решение ожидается в ближайшие недели.",
     "Что будет потом, пока неизвестно.", "Очевидцы вспоминают об этом с улыбкой."),
)  # fmt: skip
JAPANESE: Final = Language(
    "ja",
    ("町議会は", "引退したパン職人は", "新しい司書は", "渡し船の会社は", "本紙の記者は",
     "地方裁判所は", "十二人の生徒たちは"),
    ("修理した", "探している", "守ると約束した", "撮影した", "売らないと決めた", "調べている"),
    ("古い石の橋を", "北の埠頭の灯台を", "四十樽の林檎酒を", "鉄道博物館を", "忘れられた果樹園を",
     "三通の知られざる手紙を"),
    ("初雪が降る前に", "誰にも頼まれなかったのに", "多くの隣人に助けられて", "十年で二度目のことだが",
     "議事録によれば"),
    ("木曜日の会議では誰も反対しなかった。", "決定は数週間以内に下される見通しだ。", "その後のことはまだ分からない。"),
    pattern="{who}{ending}{thing}{deed}。", heading="{who}{thing}{deed}", joint="",
)  # fmt: skip
CHINESE: Final = Language(
    "zh",
    ("镇议会", "一位退休的面包师", "新来的图书管理员", "渡船公司", "本报记者", "地方法院", "十二名学生"),
    ("修好了", "正在寻找", "承诺保护", "拍摄了", "不愿出售", "重新测量了"),
    ("古老的石桥", "北码头的灯塔", "四十桶苹果酒", "铁路博物馆", "被遗忘的果园", "三封不为人知的信"),
    ("在第一场雪之前", "尽管没有人提出要求", "在许多邻居的帮助下", "这是十年来的第二次", "正如会议记录所示"),
    ("在星期四的会议上没有人反对。", "预计几周之内会作出决定。", "之后会发生什么仍然是个未知数。"),
    pattern="{ending}，{who}{deed}{thing}。", heading="{who}{deed}{thing}", joint="",
)  # fmt: skip

LANGUAGES: Final = (ENGLISH, GERMAN, FRENCH, SPANISH, POLISH, RUSSIAN, JAPANESE, CHINESE)
AUTHORS: Final = (
    "Ada Thornbury", "Jonas Wiebe", "Élodie Marchand", "Carmen Núñez", "Ewa Szymańska", "Piotr Zieliński",
    "Helen O’Dowd", "Marta Lindqvist", "Tomás Herrera", "Ingrid Bakke",
)  # fmt: skip
