package dev.sluice.llm.ledger;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Keys and arguments of book.lua for a batch. */
final class BatchArguments {

    /** Time for which Redis keeps the number of the last batch: longer than any outage during which entries are buffered. */
    private static final String BATCH_NUMBER_TTL_SECONDS = Integer.toString(7 * 24 * 3600);
    private static final List<String> BOUNDS = List.of(BATCH_NUMBER_TTL_SECONDS, Integer.toString(LedgerStore.MAX_MODELS),
            LedgerStore.OTHER_MODELS, Integer.toString(LedgerStore.MAX_REQUEST_IDS), Integer.toString(LedgerStore.MAX_OWNERS),
            Integer.toString((LedgerStore.RETENTION_HOURS + 1) * 3600));
    private static final List<String> NO_REQUEST = List.of("0", "0", "");

    private final List<String> keys = new ArrayList<>();
    private final List<String> arguments = new ArrayList<>();
    private final Map<String, String> positions = new HashMap<>();
    /** Keys that contain hashes; the others are sorted sets. */
    private final Set<String> hashKeys = new HashSet<>();
    /** Hour of the entry that a key belongs to. */
    private final Map<String, Long> hours = new HashMap<>();

    BatchArguments(LedgerKeys ledgerKeys, String instance, int tag, WriteBuffer.Batch batch) {
        keys.add(ledgerKeys.lastBatch(tag, instance));
        arguments.add(Long.toString(batch.number()));
        arguments.addAll(BOUNDS);
        for (var entry : batch.entries()) {
            var key = entry.key();
            var pairs = LedgerHash.increments(entry.sum());
            var hashKey = ledgerKeys.hour(key.identifier(), key.hour());
            hashKeys.add(hashKey);
            arguments.add(position(hashKey, key.hour()));
            arguments.add(Long.toString(LedgerHash.expirySeconds(key.hour())));
            if (entry.requestKey() == null) {
                arguments.addAll(NO_REQUEST);
            } else {
                arguments.add(position(ledgerKeys.requests(key.identifier()), key.hour()));
                arguments.add(position(entry.requestKey(), key.hour()));
                arguments.add(ledgerKeys.requestName(entry.requestKey()));
            }
            var days = ledgerKeys.changedDays(ledgerKeys.tag(key.identifier()));
            arguments.add(position(days, key.hour()));
            arguments.add(LedgerKeys.changedDay(key.identifier(), key.hour()));
            arguments.add(key.owner().encode(key.identifier()));
            arguments.add(key.provider());
            arguments.add(key.model());
            arguments.add(Integer.toString(pairs.size() / 2));
            arguments.addAll(pairs);
        }
    }

    private String position(String key, long hour) {
        return positions.computeIfAbsent(key, name -> {
            keys.add(name);
            hours.put(name, hour);
            return Integer.toString(keys.size());
        });
    }

    List<String> keys() {
        return keys;
    }

    List<String> arguments() {
        return arguments;
    }

    /** @param position position in KEYS, from 1 */
    String key(int position) {
        return keys.get(position - 1);
    }

    /** Returns the Redis type that a key of the batch must have, as aside.lua expects it. */
    String type(String key) {
        return hashKeys.contains(key) ? "hash" : "zset";
    }

    /** Returns when a key of the batch expires, in Unix seconds. */
    long expirySeconds(String key) {
        return LedgerHash.expirySeconds(hours.get(key));
    }
}
