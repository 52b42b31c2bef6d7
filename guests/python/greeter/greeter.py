# The interface `acme:greeting/greeter` in Python.
from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.greeter import Refusal_NoName, Refusal_UnknownLanguage

GREETINGS = {
    "en": "Hello, ",
    "de": "Hallo, ",
    "fr": "Bonjour, ",
    "es": "Hola, ",
    "it": "Ciao, ",
    "pt": "Olá, ",
    "nl": "Hallo, ",
    "el": "Γειά σου, ",
    "ru": "Привет, ",
    "ja": "こんにちは、",
}


class Greeter(exports.Greeter):
    def greet(self, name: str, lang: str) -> str:
        greeting = GREETINGS.get(lang.split("-")[0].lower())
        if name.strip() == "":
            raise Err(Refusal_NoName())
        if greeting is None:
            raise Err(Refusal_UnknownLanguage(lang))
        return greeting + name.strip()

    def languages(self) -> list[str]:
        return list(GREETINGS)
