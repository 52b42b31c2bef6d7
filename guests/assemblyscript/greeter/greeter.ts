// The interface `acme:greeting/greeter`.
import { giveTexts, storeText, text } from "../abi";

export { cabi_realloc } from "../abi";

const LANGUAGES: StaticArray<string> = ["en", "de", "fr", "es", "it", "pt", "nl", "el", "ru", "ja"];
const GREETINGS: StaticArray<string> = [
  "Hello, ", "Hallo, ", "Bonjour, ", "Hola, ", "Ciao, ", "Olá, ", "Hallo, ", "Γειά σου, ", "Привет, ", "こんにちは、",
]; // prettier-ignore

const NO_NAME: u8 = 0;
const UNKNOWN_LANGUAGE: u8 = 1;

/** The index of the language, or -1. */
function find(tag: string): i32 {
  const dash = tag.indexOf("-");
  const language = (dash < 0 ? tag : tag.substring(0, dash)).toLowerCase();
  for (let i = 0; i < LANGUAGES.length; i++) if (LANGUAGES[i] == language) return i;
  return -1;
}

export function greet(nameAt: usize, nameLength: u32, langAt: usize, langLength: u32): usize {
  const result = heap.alloc(16);
  const name = text(nameAt, nameLength).trim();
  const lang = text(langAt, langLength);
  const language = find(lang);
  if (name.length == 0) {
    store<u8>(result, 1);
    store<u8>(result, NO_NAME, 4);
  } else if (language < 0) {
    store<u8>(result, 1);
    store<u8>(result, UNKNOWN_LANGUAGE, 4);
    storeText(result + 8, lang);
  } else {
    store<u8>(result, 0);
    storeText(result + 4, GREETINGS[language] + name);
  }
  return result;
}

export function languages(): usize {
  return giveTexts(LANGUAGES.slice<string[]>());
}

export function afterGreet(_: usize): void {
  heap.reset();
}

export function afterLanguages(_: usize): void {
  heap.reset();
}
