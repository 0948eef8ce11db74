package dev.sluice.service.rls;

import java.util.Locale;
import java.util.Optional;

import dev.sluice.api.CalendarPeriod;
import dev.sluice.service.grpc.proto.RateLimitUnitProto.RateLimitUnit;
import dev.sluice.service.grpc.proto.RlsProto.RateLimitResponse.RateLimit.Unit;

/** Units of time of Envoy's rate limit service. A month has 30 days and a year 365, as in envoyproxy/ratelimit. */
enum TimeUnits {
    SECOND(1, Unit.SECOND, RateLimitUnit.SECOND), MINUTE(60, Unit.MINUTE, RateLimitUnit.MINUTE), HOUR(3600, Unit.HOUR,
            RateLimitUnit.HOUR), DAY(86_400, Unit.DAY, RateLimitUnit.DAY), WEEK(7 * 86_400, Unit.WEEK,
                    RateLimitUnit.WEEK), MONTH(30 * 86_400, Unit.MONTH,
                            RateLimitUnit.MONTH), YEAR(365 * 86_400, Unit.YEAR, RateLimitUnit.YEAR);

    static final String ALLOWED = "second, minute, hour, day, week, month or year";

    private final long seconds;
    private final Unit unit;
    private final RateLimitUnit overrideUnit;

    TimeUnits(long seconds, Unit unit, RateLimitUnit overrideUnit) {
        this.seconds = seconds;
        this.unit = unit;
        this.overrideUnit = overrideUnit;
    }

    long seconds() {
        return seconds;
    }

    /** Returns the unit of a name, in any case. */
    static Optional<TimeUnits> ofName(String name) {
        for (var each : values()) {
            if (each.name().equals(name.toUpperCase(Locale.ROOT))) {
                return Optional.of(each);
            }
        }
        return Optional.empty();
    }

    /** Returns the unit of an override in a request. */
    static Optional<TimeUnits> of(RateLimitUnit unit) {
        for (var each : values()) {
            if (each.overrideUnit == unit) {
                return Optional.of(each);
            }
        }
        return Optional.empty();
    }

    /** Returns the unit of a calendar period for a response. */
    static Unit of(CalendarPeriod period) {
        return switch (period) {
            case DAY -> Unit.DAY;
            case WEEK -> Unit.WEEK;
            case MONTH -> Unit.MONTH;
        };
    }

    /** Returns the unit for a response; {@link Unit#UNKNOWN} for other lengths. */
    static Unit ofLength(long seconds) {
        for (var each : values()) {
            if (each.seconds == seconds) {
                return each.unit;
            }
        }
        return Unit.UNKNOWN;
    }
}
