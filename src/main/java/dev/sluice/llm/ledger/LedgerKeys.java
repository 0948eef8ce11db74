package dev.sluice.llm.ledger;

import dev.sluice.identity.Sha256;
import dev.sluice.redis.HashTags;

/** Names of the ledger's keys in Redis. All keys of an identifier have the same hash tag. */
final class LedgerKeys {

    private final HashTags hashTags;

    LedgerKeys(HashTags hashTags) {
        this.hashTags = hashTags;
    }

    int tag(String identifier) {
        return hashTags.tag(identifier);
    }

    /** Returns the key of the hash of an identifier's hour. */
    String hour(String identifier, long hour) {
        return hashTags.keyPrefix(identifier) + "l:" + hour + ':' + identifier;
    }

    /** Returns the key that records that a request was booked. */
    String request(LedgerEntry entry) {
        return hashTags.keyPrefix(entry.identifier()) + "u:" + entry.provider() + ':' + Sha256.hex(entry.requestId()) + ':'
                + entry.identifier();
    }

    /** Returns the key of the last batch that an instance wrote from a buffer, which is in the slot of a hash tag. */
    String lastBatch(int tag, String instance) {
        return hashTags.keyPrefix(tag) + "s:" + instance;
    }

    /** Returns the prefix of the keys to which foreign data of a key's hash tag is moved. */
    String foreignPrefix(String key, long epochMillis) {
        return key.substring(0, key.length() - withoutPrefix(key).length()) + "f:" + epochMillis + ':';
    }

    /** Returns a key of the ledger without the prefix of its hash tag. */
    String withoutPrefix(String key) {
        return key.substring(hashTags.keyPrefix(0).length());
    }
}
