package dev.sluice.llm.protocol;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;

import dev.sluice.api.Identifiers;
import dev.sluice.llm.estimate.Dialect;
import dev.sluice.llm.estimate.TextTokens;
import dev.sluice.llm.protocol.json.JsonFields;
import dev.sluice.llm.protocol.json.JsonPaths;

/** Accumulates the usage reported in the JSON objects of one response. */
abstract class UsageAccumulator {

    /** Characters of text that are collected before they are tokenized: deltas are words or parts of them. */
    private static final int MAX_PENDING = 512;

    private final JsonPaths paths;
    private final Dialect dialect;
    private final StringBuilder pendingText = new StringBuilder(0);
    /** Null until there is text. */
    private TextTokens text;
    private TokenUsage usage;
    private UsageDetails details = UsageDetails.NONE;
    private String model;
    private String storedId;
    private String storedStatus;
    private long contentEvents;
    private boolean finished;
    private boolean failed;

    UsageAccumulator(JsonPaths paths, Dialect dialect) {
        this.paths = paths;
        this.dialect = dialect;
    }

    /**
     * Reads one more object: an event of a stream, or the document.
     *
     * @param droppedBytes bytes that were cut off its strings
     */
    final void read(JsonFields fields, long droppedBytes) {
        accept(fields);
        if (!fields.texts().isEmpty() && hasText(fields)) {
            fields.texts().forEach(pendingText::append);
            if (droppedBytes > 0 || pendingText.length() >= MAX_PENDING) {
                countText();
                text.addUnknown(droppedBytes);
            }
        }
    }

    /** Reads what determines the usage. */
    abstract void accept(JsonFields facts);

    /** Returns whether the strings at the paths of texts are texts. */
    boolean hasText(JsonFields fields) {
        return true;
    }

    private void countText() {
        text = text == null ? new TextTokens() : text;
        text.add(pendingText.toString());
        pendingText.setLength(0);
    }

    /** Returns the tokens of the text so far, in the tokenizer of the model. */
    final long outputTokens() {
        if (!pendingText.isEmpty()) {
            countText();
        }
        return text == null
                ? 0
                : Math.min(TokenUsage.MAX, (long) Math.ceil(text.tokens() * dialect.textFactor(model == null ? "" : model)));
    }

    /** Handles the {@code [DONE]} marker of a stream. */
    void onDoneMarker() {
    }

    final JsonPaths paths() {
        return paths;
    }

    final TokenUsage usage() {
        return usage;
    }

    final UsageDetails details() {
        return details;
    }

    final void details(UsageDetails reported) {
        details = reported;
    }

    /** Returns whether the response has reported an error. */
    final boolean failed() {
        return failed;
    }

    /** Returns whether the reported usage is billed although the response has failed before any output. */
    boolean isBilledAfterFailure() {
        return usage != null;
    }

    final void markFailed() {
        failed = true;
    }

    final String model() {
        return model;
    }

    /** Records the id and the status of a response that the provider stores; each may be null. */
    final void stored(String id, String status) {
        storedId = firstNonNull(id, storedId);
        storedStatus = firstNonNull(status, storedStatus);
    }

    final String storedId() {
        return storedId;
    }

    final String storedStatus() {
        return storedStatus;
    }

    final long contentEvents() {
        return contentEvents;
    }

    /** Returns whether the last event of a stream has been received. */
    final boolean finished() {
        return finished;
    }

    final void markFinished() {
        finished = true;
    }

    final void countContent() {
        contentEvents++;
    }

    final void model(String name) {
        if (name != null && Identifiers.isValid(name)) {
            model = name;
        }
    }

    /**
     * Replaces the usage reported so far. Missing counts are null. Excessive parts of the input are reduced to the input;
     * an implausible input or output invalidates the report.
     */
    final void usage(Long input, Long cachedInput, Long cacheWrite, Long longCacheWrite, Long output) {
        usage = toUsage(input, cachedInput, cacheWrite, longCacheWrite, output);
    }

    final void usage(TokenUsage reported) {
        usage = reported;
    }

    /** Returns the usage with these counts; null if it is implausible. */
    static TokenUsage toUsage(Long input, Long cachedInput, Long cacheWrite, Long longCacheWrite, Long output) {
        if (input == null && output == null || !isPlausible(input) || !isPlausible(output)) {
            return null;
        }
        long inputTokens = input == null ? 0 : input;
        long cachedTokens = clamp(cachedInput, inputTokens);
        long writtenTokens = clamp(cacheWrite, inputTokens - cachedTokens);
        return new TokenUsage(inputTokens, cachedTokens, writtenTokens, clamp(longCacheWrite, writtenTokens),
                output == null ? 0 : output);
    }

    /** Returns the tokens of all iterations; null if there are more than a usage can have. */
    static TokenUsage total(List<UsageDetails.Iteration> iterations) {
        long input = 0;
        long cachedInput = 0;
        long cacheWrite = 0;
        long longCacheWrite = 0;
        long output = 0;
        for (var iteration : iterations) {
            input += iteration.usage().input();
            cachedInput += iteration.usage().cachedInput();
            cacheWrite += iteration.usage().cacheWrite();
            longCacheWrite += iteration.usage().longCacheWrite();
            output += iteration.usage().output();
        }
        return input > TokenUsage.MAX || output > TokenUsage.MAX
                ? null
                : new TokenUsage(input, cachedInput, cacheWrite, longCacheWrite, output);
    }

    /** Returns the sum of the counts; null if all are missing. */
    static Long sum(Long... counts) {
        Long sum = null;
        for (var count : counts) {
            if (!isPlausible(count)) {
                return JsonFields.INVALID_COUNT;
            }
            if (count != null) {
                sum = sum == null ? count : Long.valueOf(sum + count);
            }
        }
        return sum;
    }

    static <T> T firstNonNull(T first, T second) {
        return first == null ? second : first;
    }

    /** Adds quantities that are part of others: excessive ones are reduced to what is left. */
    static Map<UsageKind, Long> quantities(TokenUsage usage, Map<UsageKind, Long> reported) {
        var quantities = new EnumMap<UsageKind, Long>(UsageKind.class);
        long input = usage.input() - usage.cachedInput() - usage.cacheWrite();
        long output = usage.output();
        for (var kind : reported.keySet()) {
            long rest = kind.isInput() ? input : kind.isOutput() ? output : TokenUsage.MAX;
            long quantity = clamp(reported.get(kind), rest);
            if (quantity > 0) {
                quantities.put(kind, quantity);
                input -= kind.isInput() ? quantity : 0;
                output -= kind.isOutput() ? quantity : 0;
            }
        }
        return quantities;
    }

    /** Adds a quantity unless it is missing. */
    static void put(Map<UsageKind, Long> quantities, UsageKind kind, Long count) {
        if (count != null) {
            quantities.merge(kind, count, UsageAccumulator::plus);
        }
    }

    private static Long plus(Long one, Long other) {
        return isPlausible(one) && isPlausible(other) ? Math.min(one + other, TokenUsage.MAX) : JsonFields.INVALID_COUNT;
    }

    private static boolean isPlausible(Long count) {
        return count == null || count >= 0 && count <= TokenUsage.MAX;
    }

    private static long clamp(Long count, long max) {
        return count == null ? 0 : Math.max(0, Math.min(count, max));
    }
}
