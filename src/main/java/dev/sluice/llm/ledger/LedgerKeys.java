package dev.sluice.llm.ledger;

import dev.sluice.identity.Sha256;
import dev.sluice.redis.HashTags;

/** Names of the ledger's keys in Redis. All keys of an identifier have the same hash tag. */
final class LedgerKeys {

    private static final int REQUEST_HASH_LENGTH = 32;

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

    /** Returns the key of the hash of a day of a hash tag's identifiers. */
    String day(int tag, long day) {
        return hashTags.keyPrefix(tag) + "d:" + day;
    }

    /** Returns the key of the sorted set of the days of a hash tag's identifiers whose sums are to be computed. */
    String changedDays(int tag) {
        return hashTags.keyPrefix(tag) + "n:days";
    }

    /** Returns the member of the set of days for the day of an identifier's hour. */
    static String changedDay(String identifier, long hour) {
        return LedgerHash.dayOf(hour) + ":" + identifier;
    }

    /** Returns the key of the set of the requests of an identifier that were booked. */
    String requests(String identifier) {
        return hashTags.keyPrefix(identifier) + "q:" + identifier;
    }

    /** Returns the name of a request in the set of its identifier: the provider, and 128 bits of the hash of the request id. */
    String requestName(String requestKey) {
        var name = withoutPrefix(requestKey);
        return name.substring(2, name.indexOf(':', 2) + 1 + REQUEST_HASH_LENGTH);
    }

    /** Returns a unique name of a request: the key by which the previous version recorded that it was booked. */
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
