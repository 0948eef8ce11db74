package org.example.reports;

import dev.sluice.api.Decision;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitAdmin;
import dev.sluice.api.RateLimiter;
import dev.sluice.api.WindowUsage;
import dev.sluice.llm.ledger.Ledger;
import dev.sluice.llm.ledger.UsageReport;

import java.time.Duration;
import java.util.Map;

import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;

import io.smallrye.mutiny.Uni;

/** Returns what Sluice returns, as JSON. */
@Path("/usage/{identifier}")
public class UsageResource {

    private final RateLimiter limiter;
    private final RateLimitAdmin admin;
    private final Ledger ledger;

    UsageResource(RateLimiter limiter, RateLimitAdmin admin, Ledger ledger) {
        this.limiter = limiter;
        this.admin = admin;
        this.ledger = ledger;
    }

    @GET
    public Uni<Map<String, Long>> limits(String identifier) {
        return admin.limits(identifier);
    }

    @GET
    @Path("/exports")
    public Uni<WindowUsage> exports(String identifier) {
        return admin.usage(identifier, "exports", Duration.ofHours(1));
    }

    @POST
    @Path("/exports")
    public Uni<Decision> export(String identifier) {
        return limiter.check(identifier, "exports", Rate.parse("2/hour"), 1);
    }

    @GET
    @Path("/models")
    public Uni<UsageReport> models(String identifier) {
        return ledger.read(identifier, 24);
    }
}
