package dev.sluice.directory;

import java.util.List;

import dev.sluice.redis.HashTags;

/**
 * Names of the keys of the directory in Redis. All have one hash tag, so that a change is atomic on a cluster too, and none has an
 * expiry. Every script gets all of them, in one order.
 */
public final class DirectoryKeys {

    private static final String TAG = "{identities}:";

    private final List<String> names;

    /** @param hashTags prefix of all keys */
    public DirectoryKeys(HashTags hashTags) {
        names = List.of(
                // hashes: name to record, a JSON object with the revision and the document
                "keys", "users", "teams", "orgs",
                // hash: SHA-256 to id of the key
                "hashes",
                // sorted sets whose members, all of score 0, are in lexicographic order: names, or owner, slash and name
                "keys-by-id", "keys-by-user", "keys-by-team", "keys-disabled",
                "users-by-name", "teams-by-name", "orgs-by-name", "teams-by-org", "users-by-team",
                // streams
                "audit", "changes",
                // string: number of the last change
                "revision",
                // hash: id of the key to the hour of its last use, in hours since 1970
                "used").stream().map(name -> hashTags.globalKey(TAG + name)).toList();
    }

    /** Returns all keys, in the order in which the scripts expect them. */
    public List<String> all() {
        return names;
    }
}
