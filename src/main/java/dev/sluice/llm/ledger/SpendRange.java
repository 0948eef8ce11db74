package dev.sluice.llm.ledger;

/**
 * Range of hours of which the usage of all owners is read.
 *
 * @param fromHour number of the first hour, since 1970
 * @param toHour number of the hour after the last one; greater than {@code fromHour}
 * @param byHour whether the usage of each hour is returned; otherwise that of whole days is summed, as far as the range has any
 */
public record SpendRange(long fromHour, long toHour, boolean byHour) {

    /** Returns whether a day of the range is read by its hours. */
    boolean isReadByHour(long day) {
        long first = day * LedgerHash.HOURS_OF_DAY;
        return byHour || first < fromHour || first + LedgerHash.HOURS_OF_DAY > toHour;
    }

    long firstDay() {
        return LedgerHash.dayOf(fromHour);
    }

    long lastDay() {
        return LedgerHash.dayOf(toHour - 1);
    }
}
