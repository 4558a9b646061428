"""The words that count as keywords, by language: the one place to correct them.

ALWAYS: Twilio's defaults (twilio.com/docs/messaging/tutorials/advanced-opt-out), AWS's required words
(docs.aws.amazon.com/sms-voice/latest/userguide/keywords-required.html), and the words that 47 CFR 64.1200(a)(10) calls
a revocation by themselves: stop, quit, end, revoke, opt out, cancel, unsubscribe. Spanish BAJA and ALTA, French
Démarrer, Portuguese parar and começar are those of Google's unsubscribe menu. All other words are recalled.
"""

from __future__ import annotations

import msgspec


class Words(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Words of one language, as people write them; `core.keyword.fold` makes them alike."""

    stop: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    help: tuple[str, ...] = ()


def _words(stop: str, start: str = "", help: str = "") -> Words:
    def listed(text: str) -> tuple[str, ...]:
        return tuple(word.strip() for word in text.split(",") if word.strip())

    return Words(stop=listed(stop), start=listed(start), help=listed(help))


# In every language. YES stands apart: it takes back an opt-out where there is one, and is an answer anywhere else.
ALWAYS = _words(
    "stop, stopall, stop all, unsubscribe, cancel, end, quit, revoke, optout, opt out, remove, arret, td",
    "start, unstop, optin, opt in, subscribe",
    "help, info",
)
YES = "yes"

BY_LANGUAGE = {
    "ar": _words("إيقاف, أوقف, توقف, الغاء, إلغاء, إلغاء الاشتراك, قف", "ابدأ, بدء, اشتراك, اشترك", "مساعدة, معلومات"),
    "bg": _words("стоп, спри, отказ, отпиши", "старт, започни", "помощ, инфо"),
    "ca": _words("atura, aturar, baixa, para", "inicia, alta", "ajuda"),
    "cs": _words("stop, konec, zrušit, odhlásit", "start, začít, přihlásit", "pomoc, nápověda"),
    "da": _words("stop, afmeld, slut, annuller, frameld", "start, tilmeld", "hjælp"),
    "de": _words(
        "stopp, halt, ende, abmelden, abbestellen, beenden, austragen, kündigen", "starten, anmelden", "hilfe"
    ),
    "el": _words("στοπ, σταμάτα, διακοπή, διαγραφή, τέλος", "έναρξη, εγγραφή", "βοήθεια"),
    "en": Words(),
    "es": _words(
        "baja, alto, parar, pare, para, detener, cancelar, fin, terminar, salir, no más",
        "alta, iniciar, comenzar, empezar, reanudar",
        "ayuda, información",
    ),
    "et": _words("stopp, lõpeta, loobu", "alusta", "abi"),
    "fi": _words("seis, lopeta, peruuta, peru, poista", "aloita, tilaa", "apua, ohje"),
    "fr": _words(
        "arrêt, arrêter, arrête, arrêtez, stopper, fin, désabonner, désinscrire, désinscription, annuler, quitter",
        "démarrer, commencer, reprendre, réabonner",
        "aide",
    ),
    "he": _words("עצור, הפסק, הסר, הסירו, די, ביטול, בטל", "התחל, הצטרף, חדש", "עזרה, מידע"),
    "hi": _words("रोकें, रोको, बंद, बंद करें, बंद करो, रद्द", "शुरू, शुरू करें, चालू", "मदद, सहायता"),
    "hr": _words("stani, kraj, odjava, prekini", "počni, prijava", "pomoć"),
    "hu": _words(
        "állj, vége, leállít, leiratkozás, leiratkozom, mégse", "kezdés, indít, feliratkozás", "segítség, súgó"
    ),
    "id": _words("berhenti, henti, batal, keluar, hentikan", "mulai, lanjut", "bantuan, tolong"),
    "it": _words(
        "ferma, fermare, basta, fine, annulla, cancella, disiscrivi, disdici", "inizia, avvia, riprendi", "aiuto"
    ),
    "ja": _words(
        "停止, 中止, 解除, 配信停止, ストップ, 終了, やめて, やめる, 退会", "開始, 再開, 登録, スタート", "ヘルプ, 助け"
    ),
    "ko": _words("중지, 중단, 정지, 수신거부, 거부, 해지, 취소, 그만", "시작, 재개, 수신동의", "도움말, 도움"),
    "lt": _words("stabdyti, baigti, atsisakyti", "pradėti", "pagalba"),
    "lv": _words("apturēt, beigt, atteikties", "sākt", "palīdzība"),
    "ms": _words("berhenti, henti, batal, keluar", "mula", "bantuan, tolong"),
    "nb": _words("stopp, avslutt, avmeld, meld av, slutt", "start, meld på", "hjelp"),
    "nl": _words("stopp, stoppen, einde, afmelden, uitschrijven, opzeggen, annuleren", "starten, aanmelden", "hulp"),
    "pl": _words("koniec, zakończ, wypisz, rezygnuję, anuluj, przestań", "zacznij, wznów, zapisz", "pomoc"),
    "pt": _words(
        "parar, pare, para, sair, cancelar, fim, remover, descadastrar, não quero mais",
        "começar, iniciar, retomar, voltar",
        "ajuda, socorro",
    ),
    "ro": _words("oprește, opriți, dezabonare, dezabonează, anulează, sfârșit", "pornește, începe, abonare", "ajutor"),
    "ru": _words(
        "стоп, стой, отмена, отписаться, отписка, отпишись, хватит, конец",
        "старт, начать, подписаться",
        "помощь, справка, инфо",
    ),
    "sk": _words("koniec, zrušiť, odhlásiť", "začať, prihlásiť", "pomoc"),
    "sl": _words("ustavi, konec, odjava", "začni, prijava", "pomoč"),
    "sr": _words("stani, kraj, odjava, стоп, стани, одјава", "počni, prijava, почни", "pomoć, помоћ"),
    "sv": _words("stopp, stoppa, avsluta, avregistrera, sluta, avanmäl", "starta, börja", "hjälp"),
    "th": _words("หยุด, ยกเลิก, เลิก, ปิด", "เริ่ม, สมัคร", "ช่วยเหลือ, ช่วย"),
    "tl": _words("itigil, tigil, hinto, ihinto", "simulan", "tulong"),
    "tr": _words("dur, durdur, iptal, ret, red, çık, son, abonelikten çık", "başla, başlat, devam", "yardım, bilgi"),
    "uk": _words(
        "стоп, стій, відписатися, відписка, скасувати, досить, кінець",
        "старт, почати, підписатися",
        "допомога, довідка",
    ),
    "vi": _words("dừng, ngừng, hủy, huỷ, từ chối, kết thúc", "bắt đầu, đăng ký", "trợ giúp, giúp"),
    "zh": _words(
        "停止, 退订, 退訂, 取消, 取消订阅, 取消訂閱, 拒收, 结束, 結束",
        "开始, 開始, 恢复, 恢復, 订阅, 訂閱",
        "帮助, 幫助, 协助, 協助",
    ),
}

# Codes that mean one of the above (nn, fil, yue …), and regions where people write in more than their first language.
SAME = {"nn": "nb", "no": "nb", "fil": "tl", "yue": "zh", "cmn": "zh", "iw": "he", "in": "id", "bs": "hr", "me": "sr"}
REGIONS = {
    "BE": ("nl", "fr", "de"),
    "CA": ("en", "fr"),
    "CH": ("de", "fr", "it"),
    "CY": ("el", "tr"),
    "FI": ("fi", "sv"),
    "IN": ("hi", "en"),
    "KZ": ("ru",),
    "LU": ("fr", "de"),
    "MA": ("ar", "fr"),
    "PR": ("es", "en"),
    "TN": ("ar", "fr"),
    "DZ": ("ar", "fr"),
    "UA": ("uk", "ru"),
    "US": ("en", "es"),
}
