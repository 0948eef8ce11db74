package dev.sluice.llm.ledger;

/** Mutable sum of entries of one identifier, hour, provider and model. Not thread-safe. */
final class LedgerSum {

    private final OutputHistogram outputs = new OutputHistogram();
    private UsageTotals totals = UsageTotals.NONE;

    static LedgerSum of(LedgerEntry entry) {
        var sum = new LedgerSum();
        sum.totals = UsageTotals.of(entry);
        if (entry.outputSample() >= 0) {
            sum.outputs.add(entry.outputSample());
        }
        return sum;
    }

    void add(LedgerSum other) {
        totals = totals.plus(other.totals);
        outputs.add(other.outputs);
    }

    UsageTotals totals() {
        return totals;
    }

    /** Returns the histogram of the entries that have a sample of their output. */
    OutputHistogram outputs() {
        return outputs;
    }
}
