package dev.sluice.store;

import java.time.ZoneId;
import java.util.concurrent.atomic.AtomicReferenceArray;

import dev.sluice.api.CalendarPeriod;

/** Returns the calendar periods of a time zone. Keeps the latest of each kind, because requests ask for the current one. Thread-safe. */
public final class PeriodCalendar {

    /** Calendar of the default time zone. */
    public static final PeriodCalendar UTC = new PeriodCalendar(ZoneId.of("UTC"));

    private final ZoneId zone;
    private final AtomicReferenceArray<CalendarWindow> latest = new AtomicReferenceArray<>(CalendarPeriod.values().length);

    /** @param zone the zone whose midnights begin the periods */
    public PeriodCalendar(ZoneId zone) {
        this.zone = zone;
    }

    /** Returns the period of a time in microseconds since 1970. */
    public CalendarWindow at(CalendarPeriod period, long micros) {
        var known = latest.getPlain(period.ordinal());
        if (known == null || !known.contains(micros)) {
            known = CalendarWindow.at(period, zone, micros);
            latest.setRelease(period.ordinal(), known);
        }
        return known;
    }
}
