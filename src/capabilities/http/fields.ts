// `fields` of `wasi:http/types@0.2`.

import { tooMuch } from "../guest.ts";
import { LARGEST_FIELDS_BYTES } from "./field-list.ts";
import { type AllFields, fieldsOfVersion } from "./fields-class.ts";

// No error of `header-error` says "too large", so the guest is stopped.
const tooLarge = (bytes: number): Error => tooMuch(`${bytes} bytes of header fields`, LARGEST_FIELDS_BYTES);

export const { Fields, freeze, immutableView, receivedFields, plainFields, promisedLength } = fieldsOfVersion(tooLarge, [
  "copyAll",
  "getAndDelete",
]);
export type Fields = Omit<AllFields, "copyAll" | "getAndDelete">;
