// `fields` of `wasi:http/types@0.3`.

import { answerError } from "../guest.ts";
import { type AllFields, fieldsOfVersion } from "./fields-class.ts";

const tooLarge = (): Error => answerError({ tag: "size-exceeded" });

export const { Fields, freeze, immutableView, receivedFields, plainFields, promisedLength } = fieldsOfVersion(tooLarge, [
  "entries",
]);
export type Fields = Omit<AllFields, "entries">;
