package dev.sluice.service.overview;

import org.eclipse.microprofile.openapi.annotations.media.Schema;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

import dev.sluice.llm.ledger.UsageTotals;
import dev.sluice.service.token.AdminAccess;
import io.quarkus.runtime.annotations.RegisterForReflection;

/** Body of the response to {@code GET /v1/overview}. */
@RegisterForReflection
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@JsonInclude(JsonInclude.Include.NON_NULL)
@Schema(name = "Overview")
record OverviewResponse(@Schema(description = "What the token of this request permits") Access access,
        @Schema(description = "Store of the windows; absent for a token of a team") Store store,
        @Schema(description = "all_instances, or this_instance while Redis does not reply or is not used", examples = "all_instances") String scope,
        @Schema(description = "Decisions of the last 60 minutes; absent for a token of a team") DecisionTotals lastHour,
        @Schema(description = "Requests that hold slots of a limit of requests in flight now; absent for a token of a team") Long inFlight,
        @Schema(description = "LLM spend; absent if it cannot be read") Spend llm,
        @Schema(description = "Alerts that are to be sent, as last seen by this instance; absent if none can be sent") Long alertsDue,
        @Schema(description = "First problem of the rules file, of which the last valid content is in force; absent if it is valid or there is none") String rulesFileProblem) {

    /** Permissions of a token. */
    @RegisterForReflection
    @Schema(name = "TokenAccess")
    record Access(@Schema(description = "Name of the token") String token, @Schema(description = "read or write") String scope,
            @JsonInclude(JsonInclude.Include.NON_NULL) @Schema(description = "Team that the token is restricted to") String team) {

        static Access of(AdminAccess access) {
            return new Access(access.token(), access.scope().label(), access.team());
        }
    }

    /** State of the store. */
    @RegisterForReflection
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @Schema(name = "OverviewStore")
    record Store(
            @Schema(description = "redis, memory, local, open, closed or off, as in the readiness check", examples = "redis") String mode,
            @Schema(description = "Instances that share the limits, as last seen by this one") int instances,
            @Schema(description = "true: nothing is denied") boolean dryRun) {
    }

    /** LLM spend. */
    @RegisterForReflection
    @Schema(name = "OverviewSpend")
    record Spend(@Schema(description = "Of the current day (UTC)") Period today,
            @Schema(description = "Of the current calendar month (UTC)") Period month) {
    }

    /** LLM spend of a period. */
    @RegisterForReflection
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @Schema(name = "OverviewSpendPeriod")
    record Period(@Schema(description = "Exact cost in US dollars", examples = "0.012345") String costUsd, long calls,
            @Schema(description = "Calls of models without a price, whose cost is not included") long unpricedCalls) {

        static Period of(UsageTotals totals) {
            return new Period(totals.dollars(), totals.calls(), totals.unpriced());
        }
    }
}
