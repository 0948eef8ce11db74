package dev.sluice.llm.pricing;

import java.util.Collection;
import java.util.List;

/**
 * Prices of a list that was loaded at run time. They replace the bundled prices of the models that it names, and are replaced by
 * configured ones. Immutable.
 */
public final class PriceList {

    /** Maximum number of the reasons that {@link #skipped} returns. */
    public static final int MAX_REASONS = 20;
    /** No list: the bundled prices hold. */
    public static final PriceList NONE = new PriceList("", List.of(), 0, List.of());

    private final String name;
    private final List<PriceEntry> entries;
    private final int skippedRows;
    private final List<String> skipped;

    PriceList(String name, Collection<PriceRow> rows, int skippedRows, List<String> skipped) {
        this.name = name;
        this.entries = rows.stream().map(row -> PriceEntry.of(row, name)).toList();
        this.skippedRows = skippedRows;
        this.skipped = List.copyOf(skipped);
    }

    /**
     * Returns the name of the list.
     *
     * @return the path of its file, or its URL without credentials
     */
    public String name() {
        return name;
    }

    /**
     * Returns the number of rows in use.
     *
     * @return 1 or more; 0 for {@link #NONE}
     */
    public int rows() {
        return entries.size();
    }

    /**
     * Returns the number of rows that are not valid.
     *
     * @return 0 or more
     */
    public int skippedRows() {
        return skippedRows;
    }

    /**
     * Returns why rows were skipped.
     *
     * @return for each of the first rows its model and the reason, at most {@value #MAX_REASONS}
     */
    public List<String> skipped() {
        return skipped;
    }

    List<PriceEntry> entries() {
        return entries;
    }
}
