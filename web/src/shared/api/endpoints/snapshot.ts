import { address } from "../client";

/** Address of the newest picture of a camera as JPEG; `nonce` keeps browsers from showing an older one. */
export function snapshotUrl(streamId: string, nonce: number): string {
  return address(`/streams/${streamId}/snapshot.jpg`, { t: nonce });
}
