package dev.sluice.service.rls;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

import dev.sluice.api.CalendarPeriod;
import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.QuotaUnit;
import dev.sluice.engine.JointLimiter;
import dev.sluice.service.grpc.proto.DescriptorProto.RateLimitDescriptor;
import dev.sluice.service.grpc.proto.RlsProto.RateLimitRequest;
import dev.sluice.service.rls.DescriptorRule.Option;
import dev.sluice.store.CalendarWindow;
import dev.sluice.store.Enforcement;
import dev.sluice.store.WindowClaim;

/** The rules that apply to the descriptors of a request, and what has to be decided. */
final class DescriptorRequest {

    /** Largest cost of a descriptor, that of Envoy's {@code hits_addend}. */
    private static final long MAX_COST = 0xFFFF_FFFFL;
    private static final long MICROS = 1_000_000;

    /**
     * Rule of one of the descriptors.
     *
     * @param limit limit of the rule, or of the request where the rule allows that
     * @param part index of the part that decides it; -1 if nothing is counted
     */
    record Ruled(DescriptorMatch match, NodeLimit limit, int part) {
    }

    private final List<Optional<Ruled>> descriptors = new ArrayList<>();
    private final List<JointLimiter.Part> parts = new ArrayList<>();
    private final FallbackPolicy fallback;
    private final Function<CalendarPeriod, CalendarWindow> calendar;
    private final RequestMode mode;
    private boolean blocks;

    /**
     * @param fallback the policy while Redis is unavailable
     * @param calendar returns a period of the calendar, not necessarily the current one
     */
    DescriptorRequest(String domain, DescriptorNode root, RateLimitRequest request, RequestMode mode, FallbackPolicy fallback,
            Function<CalendarPeriod, CalendarWindow> calendar) throws InvalidDescriptorException {
        this.calendar = calendar;
        this.fallback = fallback;
        this.mode = mode;
        var matches = new ArrayList<Optional<DescriptorMatch>>(request.getDescriptorsCount());
        for (var descriptor : request.getDescriptorsList()) {
            matches.add(DescriptorMatch.find(domain, root, descriptor));
        }
        var replaced = replaced(matches);
        var indexes = new HashMap<String, Integer>();
        for (int i = 0; i < matches.size(); i++) {
            var match = matches.get(i);
            descriptors.add(match.isEmpty() || replaced.contains(match.get().rule().name())
                    ? Optional.empty()
                    : Optional.of(ruled(match.get(), request.getDescriptors(i), request.getHitsAddend(), indexes)));
        }
    }

    /** Returns the names of the rules that one of the others replaces. */
    private static Set<String> replaced(List<Optional<DescriptorMatch>> matches) {
        Set<String> replaced = Set.of();
        for (var match : matches) {
            if (match.isPresent() && !match.get().rule().replaces().isEmpty()) {
                replaced = replaced.isEmpty() ? new HashSet<>() : replaced;
                replaced.addAll(match.get().rule().replaces());
            }
        }
        return replaced;
    }

    /** Returns the rule of each descriptor; empty if none applies. */
    List<Optional<Ruled>> descriptors() {
        return descriptors;
    }

    /** Returns what has to be decided; may be empty. */
    List<JointLimiter.Part> parts() {
        return parts;
    }

    /** Returns the rules that block everything and thereby deny the request: of quotas, only if all of them do. */
    List<DescriptorMatch> blocking() {
        if (!blocks) {
            return List.of();
        }
        var ruled = descriptors.stream().flatMap(Optional::stream).toList();
        boolean quotas = ruled.stream().noneMatch(each -> each.match().rule().enforcement() == Enforcement.QUOTA
                && each.limit().kind() != NodeLimit.Kind.BLOCKED);
        return ruled.stream().filter(each -> each.limit().kind() == NodeLimit.Kind.BLOCKED).map(Ruled::match)
                .filter(match -> switch (match.rule().enforcement()) {
                    case ENFORCED, CHARGED -> true;
                    case QUOTA -> quotas;
                    case SHADOW -> false;
                }).toList();
    }

    private Ruled ruled(DescriptorMatch match, RateLimitDescriptor descriptor, int hits, Map<String, Integer> indexes)
            throws InvalidDescriptorException {
        var limit = limit(match.rule(), descriptor);
        if (limit.kind() != NodeLimit.Kind.WINDOWS) {
            blocks |= limit.kind() == NodeLimit.Kind.BLOCKED;
            return new Ruled(match, limit, -1);
        }
        var claims = claims(match, limit, cost(descriptor, hits));
        var index = indexes.putIfAbsent(match.identifier(), parts.size());
        if (index == null) {
            parts.add(new JointLimiter.Part(match.identifier(), match.label(), claims));
            return new Ruled(match, limit, parts.size() - 1);
        }
        var first = parts.get(index); // the same descriptor twice: it costs both
        parts.set(index, new JointLimiter.Part(first.identifier(), first.label(), sum(first.claims(), claims)));
        return new Ruled(match, limit, index);
    }

    private static NodeLimit limit(DescriptorRule rule, RateLimitDescriptor descriptor) throws InvalidDescriptorException {
        if (!descriptor.hasLimit() || !rule.has(Option.ALLOW_OVERRIDE)) {
            return rule.limit();
        }
        var override = descriptor.getLimit();
        var unit = TimeUnits.of(override.getUnit()).orElseThrow(
                () -> new InvalidDescriptorException("The unit of a limit must be " + TimeUnits.ALLOWED));
        return NodeLimit.of(Integer.toUnsignedLong(override.getRequestsPerUnit()), unit.seconds());
    }

    /** Returns the cost of a descriptor; a request without a cost costs one, because Envoy sends 0 for it. */
    private static long cost(RateLimitDescriptor descriptor, int hits) {
        if (!descriptor.hasHitsAddend()) {
            return Math.max(1, Integer.toUnsignedLong(hits));
        }
        long cost = descriptor.getHitsAddend().getValue();
        return cost < 0 ? MAX_COST : Math.min(cost, MAX_COST); // negative: 2^63 or more
    }

    private List<WindowClaim> claims(DescriptorMatch match, NodeLimit limit, long cost) {
        return cost == 1 && mode != RequestMode.REPORT && limit == match.rule().limit()
                ? match.node().unitPlan(() -> newClaims(match, limit, 1))
                : newClaims(match, limit, cost);
    }

    private List<WindowClaim> newClaims(DescriptorMatch match, NodeLimit limit, long cost) {
        var enforcement = mode == RequestMode.REPORT ? Enforcement.CHARGED : match.rule().enforcement();
        return limit.windows().stream().map(window -> {
            var claim = new WindowClaim(match.resource(), window.seconds() * MICROS, window.limit(), QuotaUnit.REQUESTS, cost,
                    false, window.limit(), fallback, enforcement);
            return window.period() == null ? claim : claim.in(calendar.apply(window.period()));
        }).toList();
    }

    private static List<WindowClaim> sum(List<WindowClaim> first, List<WindowClaim> second) {
        var sum = new ArrayList<>(first);
        for (var claim : second) {
            int i = 0;
            while (i < sum.size() && !sum.get(i).hasSameWindow(claim)) {
                i++;
            }
            if (i == sum.size()) {
                sum.add(claim);
            } else {
                var other = sum.get(i);
                long limit = Math.min(other.limit(), claim.limit());
                sum.set(i,
                        new WindowClaim(claim.resource(), claim.span(), limit, claim.unit(), claim.cost() + other.cost(), false,
                                limit, claim.fallback(), other.enforcement(), claim.calendar()));
            }
        }
        return sum;
    }
}
