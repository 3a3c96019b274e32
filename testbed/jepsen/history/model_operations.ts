/** Which operations a model has; what they mean is the models' business. */
import type { ModelName } from "./model.ts";

/** By model. */
export const MODEL_OPERATIONS: Readonly<Record<ModelName, readonly string[]>> = {
  "register": ["read", "write"],
  "cas-register": ["read", "write", "cas"],
  "multi-register": ["read", "write", "txn"],
  "mutex": ["acquire", "release"],
  "lock": ["acquire", "release"],
  "kv": ["get", "put", "append", "read", "write", "cas", "delete"],
  "set": ["add", "remove", "read"],
};
