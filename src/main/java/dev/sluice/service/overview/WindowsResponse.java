package dev.sluice.service.overview;

import java.util.List;

import org.eclipse.microprofile.openapi.annotations.media.Schema;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;
import dev.sluice.http.RateLimitHeaders;
import dev.sluice.store.WindowKey;
import io.quarkus.runtime.annotations.RegisterForReflection;

/** Body of the response to {@code GET /v1/windows}. */
@RegisterForReflection
@Schema(name = "Windows")
record WindowsResponse(String identifier, @Schema(description = "Tier whose rates are the limits") String tier,
        @Schema(description = "Windows of the identifier, and limits of its tier that admit nothing; those that deny first") List<Window> windows,
        @Schema(description = "true: the identifier has more windows than are returned") boolean truncated,
        @Schema(description = "all_instances, or this_instance while Redis does not reply or is not used", examples = "all_instances") String scope) {

    private static final long MICROS = 1_000_000;

    /** A window. */
    @RegisterForReflection
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @Schema(name = "Window")
    record Window(String resource,
            @Schema(description = "Units used; in US dollars for a budget") Object used,
            @Schema(description = "Limit of the rule for the tier, of the stored identity, or that came with the last check; absent if none is known") Object limit,
            @Schema(description = "tokens, usd, or concurrent_requests for requests in flight; absent if requests are counted") String unit,
            @Schema(description = "Length of the window; absent for requests in flight, and for a rate that admits nothing") Long windowSeconds,
            @Schema(description = "Calendar period that is the window") String period,
            @Schema(description = "Unix seconds, rounded up, at which the next unit becomes available; absent if no limit is known, unless the window is a calendar period") Long resetAt,
            @Schema(description = "true: the next request is denied, unless shadow is true") Boolean denied,
            @Schema(description = "true: nothing is denied, because the rule is a shadow rule or the service is in a dry run; otherwise absent") Boolean shadow,
            @Schema(description = "Unix seconds, rounded up, at which a request is admitted again; absent unless denied, or if it never is") Long retryAt,
            @Schema(description = "Where the limit was set; identity for that of a stored identity, check for one that came with a check") String source) {

        static Window of(QuotaStatus quota, boolean shadow, String source) {
            return new Window(quota.resource(), quota.unit().jsonAmount(quota.limit() - quota.remaining()),
                    quota.unit().jsonAmount(quota.limit()),
                    quota.unit() == QuotaUnit.REQUESTS ? null : quota.unit().jsonName(),
                    quota.window().isZero() ? null : quota.window().toSeconds(),
                    quota.period() == null ? null : quota.period().value(), RateLimitHeaders.resetEpochSeconds(quota),
                    quota.denied(), shadow ? true : null,
                    quota.retryAt().map(at -> at.getEpochSecond() + (at.getNano() > 0 ? 1 : 0)).orElse(null),
                    source);
        }

        /** Slots whose limit only those know that take the leases. */
        static Window leases(QuotaStatus quota) {
            return new Window(quota.resource(), quota.limit() - quota.remaining(), null, quota.unit().jsonName(), null, null,
                    null, null, null, null, null);
        }

        /** Creates a resource whose rate admits nothing, without a window. */
        static Window blocked(String resource, boolean shadow, String source) {
            return new Window(resource, 0, 0, null, null, null, null, true, shadow ? true : null, null, source);
        }

        /** Creates a window whose limit is not known. */
        static Window of(WindowKey window, long used, QuotaUnit unit) {
            var period = WindowPeriods.of(window);
            return new Window(window.resource(), unit.jsonAmount(used), null,
                    unit == QuotaUnit.REQUESTS ? null : unit.jsonName(),
                    window.span() / MICROS,
                    period == null ? null : period.value(),
                    period == null ? null : window.end() / MICROS, null, null, null, null);
        }
    }
}
