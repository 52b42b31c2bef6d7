// Opens a blob store by its address. Libraries of servers are loaded only where they are used.

import { type BlobSettings, type BlobStore, parseBlobStoreAddress } from "./blobstore.ts";
import { memoryBlobs } from "./memory.ts";

/** @throws StarlaneError `resource/bad-address`, `resource/unavailable` (rejects) */
export async function openBlobStore(address: string, settings: BlobSettings): Promise<BlobStore> {
  const place = parseBlobStoreAddress(address);
  switch (place.kind) {
    case "memory":
      return memoryBlobs(settings);
    case "folder":
      return await (await import("./folder.ts")).folderBlobs(place.path, settings.folder);
    case "nats":
      return await (await import("./nats.ts")).natsBlobs(place.server, place.bucket);
    case "s3":
      return await (await import("./s3.ts")).s3Blobs(place, settings);
  }
}
