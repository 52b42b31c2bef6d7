// The world `greeter` of wit/greeter.wit in AssemblyScript.

import { give, taken } from "./abi";
export { cabi_realloc } from "./abi";

export function greet(name: usize, length: u32): usize {
  return give(`Hello, ${taken(name, length)}!`);
}
