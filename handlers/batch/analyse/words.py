"""Words of a text, for topics, summaries and near-duplicates."""

from __future__ import annotations

import re
from functools import cache

# Scripts that put no spaces between words; two neighbouring characters stand for a word.
_DENSE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_DENSE}]+|[^\W\d_{_DENSE}]+(?:['\u2019][^\W\d_{_DENSE}]+)*")
_DENSE_WORD = re.compile(f"[{_DENSE}]")
_MIN_LETTERS = 3

# The most frequent words of each language, which say nothing of what a text is about.
_STOP_WORDS = {
    "en": (
        "a about above after again against all also am an and any are as at be because been before being below "
        "between both but by can cannot could did do does doing don't down during each few for from further had "
        "has have having he her here hers him his how i if in into is it it's its itself just may me might more "
        "most must my no nor not now of off on once one only or other our ours out over own per same she should "
        "so some such than that the their theirs them then there these they this those through to too two under "
        "until up upon us very was we were what when where which while who whom why will with within without "
        "would you your yours"
    ),
    "de": (
        "aber alle allem allen aller als also am an andere anderen auch auf aus bei beim bin bis bist da damit "
        "dann das dass dein dem den der des dessen die dies diese diesem diesen dieser dieses doch dort du durch "
        "ein eine einem einen einer eines er es etwas euch euer für gegen habe haben hat hatte hatten hier hin "
        "ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in ins ist ja jede jedem jeden jeder jedes jetzt kann "
        "kein keine keinen können mehr mein mich mir mit muss müssen nach nicht nichts noch nun nur ob oder ohne "
        "sehr sein seine seinem seinen seiner sich sie sind so soll sollte sondern sonst über um und uns unser "
        "unter viel vom von vor war waren warum was weil welche welcher wenn wer werden wie wieder will wir wird "
        "wo wurde wurden zu zum zur zwar zwischen"
    ),
    "fr": (
        "afin ainsi alors au aucun aussi autre aux avait avant avec avoir car ce cela ces cet cette ceux chez "
        "comme dans de depuis des donc dont du elle elles en encore entre est et été être eu fait il ils je la le "
        "les leur leurs lors lui mais me même mes moi mon ne ni non nos notre nous on ont ou où par pas peu peut "
        "plus pour pourquoi qu quand que quel quelle qui sa sans se sera ses si son sont sous sur ta te tes toi "
        "ton tous tout toute très tu un une vos votre vous"
    ),
    "es": (
        "al algo algunos ante antes aquí así aunque bien cada como con contra cual cuando de del desde donde dos "
        "durante el él ella ellas ellos en entre era es esa ese eso esta está están estas este esto estos fue "
        "fueron ha había han hasta hay la las le les lo los más me mi mientras mucho muy nada ni no nos nosotros "
        "nuestra nuestro o otra otro otros para pero poco por porque puede que qué quien se sea ser si sí sin "
        "sobre son su sus también tan te tiene todo todos tu un una uno unos y ya yo"
    ),
    "it": (
        "a ad agli ai al alla alle allo anche ancora avere aveva c che chi ci come con contro cui da dai dal "
        "dalla dalle de degli dei del della delle dello di dopo dove e è ed era essere fra gli ha hanno i il in "
        "io l la le lei li lo loro ma mi mia mio molto ne negli nei nel nella nelle no noi non o ogni per perché "
        "più poi prima può qual quale quando quello questa queste questi questo se sei senza si sia sono su sua "
        "sue sugli sui sul sulla suo tra tu tutti tutto un una uno voi"
    ),
    "pt": (
        "a ainda ao aos apenas as até cada com como contra da das de dela dele depois do dos e é ela elas ele "
        "eles em entre era essa esse esta está este eu foi foram há isso isto já lhe mais mas me mesmo meu minha "
        "muito na não nas nem no nos nós nossa nosso num numa o onde os ou para pela pelas pelo pelos pode por "
        "porque qual quando que quem são se sem ser seu seus só sobre sua suas também te tem ter todo todos um "
        "uma você"
    ),
}


@cache
def stop_words(language: str) -> frozenset[str]:
    """Give the words of a language that say nothing of a text's subject; none for a language without a list."""
    return frozenset(_STOP_WORDS.get(language, "").split())


def words(text: str) -> list[str]:
    """Give the words of a text in their order, in lower case, without numbers.

    Parameters
    ----------
    text
        Of any language. Where a script has no spaces, each pair of neighbouring characters counts as a word.
    """
    folded = text.casefold()
    if not _DENSE_WORD.search(folded):
        return _WORD.findall(folded)
    found: list[str] = []
    for word in _WORD.findall(folded):
        if _DENSE_WORD.match(word):
            found += [word[at : at + 2] for at in range(max(len(word) - 1, 1))]
        else:
            found.append(word)
    return found


def terms(found: list[str], language: str) -> list[str]:
    """Give those of `words` that can name a subject."""
    ignored = stop_words(language)
    return [word for word in found if word not in ignored and (len(word) >= _MIN_LETTERS or _DENSE_WORD.match(word))]
