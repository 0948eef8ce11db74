package dev.sluice.llm.protocol;

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
    private long images;
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
        storedId = UsageCounts.firstNonNull(id, storedId);
        storedStatus = UsageCounts.firstNonNull(status, storedStatus);
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

    /** Returns the number of images that a stream has completed. */
    final long images() {
        return images;
    }

    final void countImage() {
        images++;
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
        usage = UsageCounts.toUsage(input, cachedInput, cacheWrite, longCacheWrite, output);
    }

    final void usage(TokenUsage reported) {
        usage = reported;
    }
}
