package dev.sluice.service.overview;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;

import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.ParameterIn;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

import dev.sluice.api.DecisionMode;
import dev.sluice.api.Quota;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.RateLimiter;
import dev.sluice.api.ResourceCheck;
import dev.sluice.directory.IdentityKind;
import dev.sluice.engine.ConcurrencyLeases;
import dev.sluice.engine.StoreConfig;
import dev.sluice.engine.StoreStatus;
import dev.sluice.engine.StoredWindows;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.RateLimitHeaders;
import dev.sluice.http.ServiceEndpoint;
import dev.sluice.identity.chain.LevelResources;
import dev.sluice.policy.CurrentPolicy;
import dev.sluice.service.api.BadRequestException;
import dev.sluice.service.api.EndpointAuthorization;
import dev.sluice.service.api.OpenApiDefinition;
import dev.sluice.service.api.QueryParameters;
import dev.sluice.service.api.rules.RulesView;
import dev.sluice.service.traffic.TrafficService;
import dev.sluice.store.WindowKey;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** Admin endpoint: the windows of an identifier with what is used, the limit and the time at which they free up. */
@ServiceEndpoint
@Tag(name = "Administration")
@Path("/v1/windows")
@Produces({ErrorResponse.JSON, ErrorResponse.PROBLEM_JSON, MediaType.WILDCARD})
public class WindowsResource {

    /** Maximum number of resources whose windows are returned. */
    static final int MAX_RESOURCES = 100;

    private static final String IDENTITY = "identity";
    private static final String GIVEN = "check";
    private static final Rate ANY_NUMBER = Rate.concurrency(QuotaUnit.CONCURRENT_REQUESTS.maxLimit());

    private final EndpointAuthorization authorization;
    private final StoredWindows stored;
    private final RateLimiter limiter;
    private final RulesView rules;
    private final CurrentPolicy policy;
    private final StoredLimits identities;
    private final ConcurrencyLeases leases;
    private final TrafficService traffic;
    private final StoreConfig settings;
    private final StoreStatus store;

    WindowsResource(EndpointAuthorization authorization, StoredWindows stored, RateLimiter limiter, RulesView rules,
            CurrentPolicy policy, StoredLimits identities, ConcurrencyLeases leases, TrafficService traffic,
            StoreConfig settings, StoreStatus store) {
        this.authorization = authorization;
        this.stored = stored;
        this.limiter = limiter;
        this.rules = rules;
        this.policy = policy;
        this.identities = identities;
        this.leases = leases;
        this.traffic = traffic;
        this.settings = settings;
        this.store = store;
    }

    /** Returns the windows of an identifier. */
    @GET
    @Parameter(name = "identifier", in = ParameterIn.QUERY, required = true, schema = @Schema(type = SchemaType.STRING, minLength = 1, maxLength = 256), description = "Identifier whose windows are returned")
    @Parameter(name = "tier", in = ParameterIn.QUERY, schema = @Schema(type = SchemaType.STRING), description = "Tier whose rates are the limits; by default that of the stored user or key, then that of the user's keys in the settings, otherwise the first tier")
    @Operation(operationId = "windows", summary = "Returns the windows of an identifier: used, limit, and when each frees up; consumes nothing")
    @SecurityRequirement(name = OpenApiDefinition.ADMIN_TOKEN)
    @APIResponse(responseCode = "200", description = "Windows", content = @Content(mediaType = ErrorResponse.JSON, schema = @Schema(implementation = WindowsResponse.class), example = "{\"identifier\":\"user:alice\",\"tier\":\"free\",\"windows\":[{\"resource\":\"api:/campaigns\",\"used\":10,\"limit\":10,\"window_seconds\":60,\"reset_at\":1701234567,\"denied\":true,\"retry_at\":1701234567,\"source\":\"built-in\"}],\"truncated\":false,\"scope\":\"all_instances\"}"))
    @APIResponse(responseCode = "400", ref = OpenApiDefinition.BAD_REQUEST)
    @APIResponse(responseCode = "401", ref = OpenApiDefinition.UNAUTHORIZED)
    @APIResponse(responseCode = "403", ref = OpenApiDefinition.FORBIDDEN)
    @APIResponse(responseCode = "429", ref = OpenApiDefinition.TOO_MANY_REQUESTS)
    @APIResponse(responseCode = "503", ref = OpenApiDefinition.UNAVAILABLE)
    public Uni<Response> windows(@Context RoutingContext context) {
        return authorization.authorizeAdmin(context, () -> {
            QueryParameters.allow(context, "identifier", "tier");
            var identifier = QueryParameters.name(context, "identifier");
            var asked = QueryParameters.text(context, "tier");
            if (asked != null && !policy.tiers().contains(asked)) {
                throw BadRequestException.forField("tier", "tier must be one of " + String.join(", ", policy.tiers()));
            }
            return identities.of(identifier).flatMap(limits -> {
                var tier = asked == null ? policy.effectiveTier(limits.tier()) : asked;
                return stored.of(identifier).flatMap(used -> windows(identifier, tier, limits.rates(), used));
            }).map(body -> {
                if (store.mode().isOutage()) {
                    context.response().putHeader(RateLimitHeaders.MODE, store.mode().value());
                }
                return Response.ok(body, ErrorResponse.JSON).build();
            });
        });
    }

    private Uni<WindowsResponse> windows(String identifier, String tier, Map<String, Rate> own, Map<WindowKey, Long> used) {
        var resources = new TreeSet<>(own.keySet());
        used.keySet().forEach(window -> resources.add(window.resource()));
        if (hasTier(identifier)) {
            resources.addAll(rules.blocked(tier));
        }
        var listed = resources.stream().limit(MAX_RESOURCES).toList();
        return Uni.createFrom().completionStage(() -> traffic.rates(identifier, listed).toCompletionStage())
                .flatMap(given -> {
                    var ofRules = new ArrayList<ResourceCheck>();
                    var ofChecks = new ArrayList<ResourceCheck>();
                    listed.forEach(resource -> {
                        var rate = rate(resource, tier, own);
                        add(resource, rate == null ? List.of() : rate.quotas(), ofRules);
                        add(resource, givenQuotas(given.get(resource), rate), ofChecks);
                    });
                    return quotas(identifier, tier, ofRules).flatMap(rules -> quotas(identifier, tier, ofChecks)
                            .map(checks -> windows(listed, tier, rules, checks, own, used)));
                }).flatMap(windows -> slots(identifier, tier, own).map(slots -> {
                    windows.addAll(slots);
                    windows.sort(Comparator.comparing((WindowsResponse.Window window) -> !Boolean.TRUE.equals(window.denied()))
                            .thenComparing(window -> window.retryAt() == null).thenComparing(WindowsResponse.Window::resource));
                    return new WindowsResponse(identifier, tier, windows, resources.size() > MAX_RESOURCES,
                            TrafficResponse.scope(store.mode() == DecisionMode.REDIS));
                }));
    }

    /** Returns whether requests of an identifier have a tier: it is no team or organisation. */
    private static boolean hasTier(String identifier) {
        return !identifier.startsWith(IdentityKind.TEAM.identifier(""))
                && !identifier.startsWith(IdentityKind.ORG.identifier(""));
    }

    /** Returns the rate of a stored identity's own limit or of a rule; null if there is none. */
    private Rate rate(String resource, String tier, Map<String, Rate> own) {
        if (own.containsKey(resource)) {
            return own.get(resource);
        }
        var rule = rules.rule(resource);
        return rule == null ? null : rule.check(tier, 0).rate();
    }

    /**
     * Returns the quotas of a rate that came with a check, without those in whose window a rule counts.
     *
     * @param text text of the rate; null if none is known
     */
    private static List<Quota> givenQuotas(String text, Rate ofRule) {
        return text == null
                ? List.of()
                : Rate.parse(text).quotas().stream().filter(quota -> ofRule == null || ofRule.quotas().stream().noneMatch(
                        other -> other.window().equals(quota.window()) && other.period() == quota.period())).toList();
    }

    /** @param quotas none if the rate is unlimited or blocked */
    private static void add(String resource, List<Quota> quotas, List<ResourceCheck> checks) {
        if (!quotas.isEmpty()) {
            checks.add(new ResourceCheck(resource, Rate.of(quotas.toArray(Quota[]::new)), 0));
        }
    }

    private List<WindowsResponse.Window> windows(List<String> listed, String tier, List<QuotaStatus> ofRules,
            List<QuotaStatus> ofChecks, Map<String, Rate> own, Map<WindowKey, Long> used) {
        var windows = new ArrayList<WindowsResponse.Window>();
        ofRules.forEach(quota -> windows
                .add(WindowsResponse.Window.of(quota, isShadow(quota.resource()), source(quota.resource(), own))));
        ofChecks.stream().filter(quota -> quota.remaining() < quota.limit())
                .forEach(quota -> windows.add(WindowsResponse.Window.of(quota, settings.dryRun(), GIVEN)));
        used.forEach((window, units) -> {
            if (listed.contains(window.resource()) && Stream.of(ofRules, ofChecks).flatMap(List::stream)
                    .noneMatch(quota -> quota.resource().equals(window.resource()) && WindowPeriods.counts(quota, window))) {
                windows.add(WindowsResponse.Window.of(window, units, ofRules.stream()
                        .filter(quota -> quota.resource().equals(window.resource())).map(QuotaStatus::unit).findFirst()
                        .orElseGet(() -> LevelResources.unit(window.resource()))));
            }
        });
        listed.stream().filter(resource -> rate(resource, tier, own) == Rate.BLOCKED).forEach(
                resource -> windows.add(WindowsResponse.Window.blocked(resource, isShadow(resource), source(resource, own))));
        return windows;
    }

    private boolean isShadow(String resource) {
        var rule = rules.rule(resource);
        return settings.dryRun() || rule != null && rule.options().shadow();
    }

    /** Returns the slots of requests in flight that are held: of rules, and of leases, whose limit is not known if no rule has one. */
    private Uni<List<WindowsResponse.Window>> slots(String identifier, String tier, Map<String, Rate> own) {
        return leases.resources(identifier).flatMap(leased -> {
            var limits = rules.concurrency(tier);
            var checks = new ArrayList<ResourceCheck>();
            limits.forEach((resource, limit) -> {
                if (!own.containsKey(resource)) {
                    checks.add(new ResourceCheck(resource, limit, 0));
                }
            });
            leased.stream().filter(resource -> !limits.containsKey(resource) && !own.containsKey(resource))
                    .forEach(resource -> checks.add(new ResourceCheck(resource, ANY_NUMBER, 0)));
            return quotas(identifier, tier, checks.subList(0, Math.min(checks.size(), MAX_RESOURCES)))
                    .map(quotas -> quotas.stream().filter(quota -> quota.remaining() < quota.limit())
                            .map(quota -> limits.containsKey(quota.resource())
                                    ? WindowsResponse.Window.of(quota, isShadow(quota.resource()),
                                            rules.source(quota.resource()))
                                    : WindowsResponse.Window.leases(quota))
                            .toList());
        });
    }

    private Uni<List<QuotaStatus>> quotas(String identifier, String tier, List<ResourceCheck> checks) {
        return checks.isEmpty()
                ? Uni.createFrom().item(List.of())
                : limiter.check(new RateLimitRequest(identifier, tier, RateLimitRequest.CUSTOM_LABEL, checks))
                        .map(decision -> decision.quotas());
    }

    private String source(String resource, Map<String, Rate> own) {
        return own.containsKey(resource) ? IDENTITY : rules.source(resource);
    }
}
