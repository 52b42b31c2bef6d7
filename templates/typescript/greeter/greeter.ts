// The world `greeter` of wit/greeter.wit: what it exports, this module exports.

export function greet(name: string): string {
  return `Hello, ${name}!`;
}
