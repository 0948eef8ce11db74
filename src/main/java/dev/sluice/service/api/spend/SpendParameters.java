package dev.sluice.service.api.spend;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

import dev.sluice.llm.ledger.Ledger;
import dev.sluice.llm.ledger.SpendRange;
import dev.sluice.llm.spend.SpendDimension;
import dev.sluice.llm.spend.SpendQuery;
import dev.sluice.service.api.BadRequestException;
import dev.sluice.service.api.QueryParameters;
import io.vertx.ext.web.RoutingContext;

/** Reads the query parameters of {@code GET /v1/llm/spend}; every error names its parameter. */
final class SpendParameters {

    static final int MAX_LIMIT = 1000;
    static final int DEFAULT_LIMIT = 100;

    private static final int DAY = 24;
    private static final List<SpendDimension> FILTERS = List.of(SpendDimension.USER, SpendDimension.TEAM, SpendDimension.ORG,
            SpendDimension.KEY, SpendDimension.PROVIDER, SpendDimension.MODEL);
    private static final String DIMENSIONS = Arrays.stream(SpendDimension.values()).map(SpendDimension::field)
            .collect(Collectors.joining(", "));

    private final RoutingContext context;
    private final long currentHour;

    private SpendParameters(RoutingContext context, long currentHour) {
        this.context = context;
        this.currentHour = currentHour;
    }

    /**
     * Reads a query.
     *
     * @param currentHour number of the current hour
     * @param forcedTeam team whose calls alone the caller may see; null for all
     */
    static SpendQuery read(RoutingContext context, long currentHour, String forcedTeam) {
        QueryParameters.allow(context, "group_by", "from", "to", "user", "team", "org", "key", "provider", "model", "limit",
                "cursor");
        var parameters = new SpendParameters(context, currentHour);
        var groupBy = parameters.groupBy();
        var filters = parameters.filters(forcedTeam);
        var range = parameters.range(groupBy.contains(SpendDimension.HOUR));
        int limit = QueryParameters.text(context, "limit") == null
                ? DEFAULT_LIMIT
                : (int) QueryParameters.integer(context, "limit", 1, MAX_LIMIT);
        var cursor = QueryParameters.text(context, "cursor");
        var query = new SpendQuery(range, groupBy, filters, limit, null);
        return cursor == null ? query : new SpendQuery(range, groupBy, filters, limit, SpendCursor.decode(cursor, query));
    }

    private List<SpendDimension> groupBy() {
        var text = QueryParameters.text(context, "group_by");
        var dimensions = new ArrayList<SpendDimension>();
        if (text == null) {
            return dimensions;
        }
        for (var name : text.split(",", -1)) {
            var dimension = Arrays.stream(SpendDimension.values()).filter(any -> any.field().equals(name)).findFirst()
                    .orElseThrow(() -> BadRequestException.forField("group_by",
                            "group_by must be one or more of " + DIMENSIONS + ", separated by commas"));
            if (dimensions.contains(dimension)) {
                throw BadRequestException.forField("group_by", "group_by has " + name + " more than once");
            }
            dimensions.add(dimension);
        }
        return dimensions;
    }

    private Map<SpendDimension, String> filters(String forcedTeam) {
        var filters = new EnumMap<SpendDimension, String>(SpendDimension.class);
        for (var dimension : FILTERS) {
            if (QueryParameters.text(context, dimension.field()) != null) {
                filters.put(dimension, QueryParameters.name(context, dimension.field()));
            }
        }
        if (forcedTeam != null && !forcedTeam.equals(filters.getOrDefault(SpendDimension.TEAM, forcedTeam))) {
            throw BadRequestException.forField("team", "team must be " + forcedTeam + ", the team of the token");
        }
        if (forcedTeam != null) {
            filters.put(SpendDimension.TEAM, forcedTeam);
        }
        return filters;
    }

    private SpendRange range(boolean byHour) {
        long today = Math.floorDiv(currentHour, DAY);
        var from = instant("from");
        var to = instant("to");
        long fromHour = from == null
                ? LocalDate.ofEpochDay(today).withDayOfMonth(1).toEpochDay() * DAY
                : fullHour("from", from);
        // Nothing is later than now: the current day is read as a whole, which is cheaper than its hours.
        long toHour = to == null || to.isAfter(start(currentHour)) ? (today + 1) * DAY : fullHour("to", to);
        if (fromHour >= toHour) {
            throw BadRequestException.forField(from == null ? "to" : "from",
                    "from must be before to, and not in the future (from: " + start(fromHour) + ", to: "
                            + (to == null ? "now" : to) + ")");
        }
        requireKept(byHour, fromHour, toHour);
        return new SpendRange(fromHour, toHour, byHour);
    }

    /** Requires that the ledger still has the days and hours of a range. */
    private void requireKept(boolean byHour, long fromHour, long toHour) {
        long oldestDay = Math.floorDiv(currentHour, DAY) - Ledger.MAX_DAYS;
        if (fromHour < oldestDay * DAY) {
            throw BadRequestException.forField("from", "from must not be before " + LocalDate.ofEpochDay(oldestDay)
                    + ": the usage of days is kept for " + Ledger.MAX_DAYS + " days");
        }
        long oldestHour = currentHour - Ledger.MAX_HOURS;
        var hours = ": the usage of hours is kept for " + Ledger.MAX_HOURS / DAY + " days";
        if (fromHour < oldestHour && (byHour || fromHour % DAY != 0)) {
            throw BadRequestException.forField("from", byHour
                    ? "from must not be before " + start(oldestHour) + " with group_by=hour" + hours
                    : "from must be the start of a day (UTC) if it is before " + start(oldestHour) + hours);
        }
        if (toHour - toHour % DAY < oldestHour && toHour % DAY != 0) {
            throw BadRequestException.forField("to",
                    "to must be the start of a day (UTC) if its day begins before " + start(oldestHour) + hours);
        }
    }

    /** Returns the value of a parameter; null if it is missing. */
    private Instant instant(String field) {
        var text = QueryParameters.text(context, field);
        if (text == null) {
            return null;
        }
        try {
            return text.length() == 10
                    ? LocalDate.parse(text).atStartOfDay(ZoneOffset.UTC).toInstant()
                    : OffsetDateTime.parse(text).toInstant();
        } catch (DateTimeParseException e) {
            throw BadRequestException.forField(field,
                    field + " must be a date (2026-11-01, UTC) or a time of RFC 3339 (2026-11-01T00:00:00Z)");
        }
    }

    private static long fullHour(String field, Instant time) {
        if (time.getEpochSecond() % Duration.ofHours(1).toSeconds() != 0 || time.getNano() != 0) {
            throw BadRequestException.forField(field,
                    field + " must be the start of an hour, because usage is kept by hour (was: " + time + ")");
        }
        return Math.floorDiv(time.getEpochSecond(), Duration.ofHours(1).toSeconds());
    }

    private static Instant start(long hour) {
        return Instant.EPOCH.plus(Duration.ofHours(hour));
    }
}
