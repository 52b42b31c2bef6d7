// The interface `acme:greeting/greeter` in TypeScript; it runs in both JavaScript engines that components can be made with.

type Refusal = { tag: "no-name" } | { tag: "unknown-language"; val: string };

const GREETINGS = new Map([
  ["en", "Hello, "],
  ["de", "Hallo, "],
  ["fr", "Bonjour, "],
  ["es", "Hola, "],
  ["it", "Ciao, "],
  ["pt", "Olá, "],
  ["nl", "Hallo, "],
  ["el", "Γειά σου, "],
  ["ru", "Привет, "],
  ["ja", "こんにちは、"],
]);

/** The error of a WIT result is thrown, as the `payload` of an error. */
class GreetingRefused extends Error {
  payload: Refusal;

  constructor(payload: Refusal) {
    super(payload.tag);
    this.payload = payload;
  }
}

export const greeter = {
  greet(name: string, lang: string): string {
    const greeting = GREETINGS.get((lang.split("-")[0] ?? "").toLowerCase());
    if (name.trim() === "") throw new GreetingRefused({ tag: "no-name" });
    if (greeting === undefined) throw new GreetingRefused({ tag: "unknown-language", val: lang });
    return greeting + name.trim();
  },

  languages(): string[] {
    return [...GREETINGS.keys()];
  },
};
