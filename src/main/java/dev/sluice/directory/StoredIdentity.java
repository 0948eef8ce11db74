package dev.sluice.directory;

import io.vertx.core.json.JsonObject;

/**
 * Identity as stored. The document is not to be changed.
 *
 * @param kind its kind
 * @param name its name; the id of a key
 * @param revision number of the last change of this identity; greater with each change
 * @param document its attributes, in the form of the HTTP API. A key has in addition the field {@code hashes}: an array of
 *        {@code {"sha256":…,"expires_at":…}}, the SHA-256 of each text of the key in lower-case hexadecimal
 */
public record StoredIdentity(IdentityKind kind, String name, long revision, JsonObject document) {
}
