package dev.sluice.policy;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

import dev.sluice.api.RateLimitRequest;
import dev.sluice.identity.Identity;
import dev.sluice.policy.cost.InvalidCostException;
import dev.sluice.policy.key.KeySource;

/**
 * The rules that govern one API request, and the only place that turns them into requests for a decision. It keeps the rules that were
 * in force when it was created.
 */
public final class RuleMatch {

    private final PolicySnapshot policy;
    private final ApiRequest request;
    private final List<LimitRule> rules;
    /** True if the path chose the rules: another one then governs the request if one of them does not apply. */
    private final boolean byPath;
    private Identity address;
    private boolean addressKnown;

    RuleMatch(PolicySnapshot policy, ApiRequest request) {
        this.policy = policy;
        this.request = request;
        this.rules = policy.rulesFor(request, Set.of());
        this.byPath = true;
    }

    RuleMatch(PolicySnapshot policy, ApiRequest request, LimitRule rule) {
        this.policy = policy;
        this.request = request;
        this.rules = List.of(rule);
        this.byPath = false;
    }

    /** Returns whether no rule governs the request: its path is exempt. */
    public boolean isEmpty() {
        return rules.isEmpty();
    }

    /** Returns whether no rule limits any tier, whoever sends the request. */
    public boolean isUnlimited() {
        for (var rule : rules) {
            if (!rule.isUnlimited() || rule.options().key().isOptional() || rule.options().cost().isHidden()) {
                return false;
            }
        }
        return true;
    }

    /**
     * Returns the requests for a decision: those of the rules, and those of the caller's levels.
     *
     * @param withDefault whether the default rule counts
     * @return none if nothing limits the request
     * @throws InvalidCostException if the request names a cost that no rule can charge
     */
    public List<RateLimitRequest> requests(Caller caller, boolean withDefault) {
        var levels = caller.identity().chain().levels();
        var only = rules.size() == 1 && rules.get(0).isPlain() ? rules.get(0) : null;
        var plain = only == null || only.isDefault() && !withDefault
                ? null
                : only.request(caller.identity().identifier(), caller.tier());
        if (only != null && levels.isEmpty()) {
            return plain == null ? List.of() : List.of(plain);
        }
        List<RateLimitRequest> requests = only == null ? ofRules(caller, withDefault) : new ArrayList<>(1 + levels.size());
        if (plain != null) {
            requests.add(plain);
        }
        if (!levels.isEmpty() && !rules.isEmpty()) {
            policy.addLevels(requests, caller.identity().chain(), methods(), request.path());
        }
        return requests;
    }

    /**
     * Returns requests without limits of the requests in flight, for protocols that do not tell the end of a request.
     *
     * @param requests the requests for a decision
     */
    public static List<RateLimitRequest> withoutConcurrency(List<RateLimitRequest> requests) {
        for (var request : requests) {
            for (var check : request.checks()) {
                if (check.isConcurrency()) {
                    return requests.stream().map(each -> new RateLimitRequest(each.identifier(), each.tier(), each.label(),
                            each.checks().stream().filter(other -> !other.isConcurrency()).toList(), each.shadow())).toList();
                }
            }
        }
        return requests;
    }

    /**
     * Returns the requests for a decision on a CORS preflight. It has neither the credentials nor the fields of the request that
     * follows, so all rules count it for the address, with one unit.
     *
     * @param address the address of the client as a caller
     */
    public List<RateLimitRequest> preflightRequests(Caller address) {
        var identifier = address.identity().identifier();
        return rules.stream().flatMap(rule -> Stream.concat(Stream.of(rule), furtherRules(rule)))
                .map(rule -> request(rule, identifier, address.tier(), 1)).toList();
    }

    /** Returns the rules that hold too, as far as they are for this request. */
    private Stream<LimitRule> furtherRules(LimitRule rule) {
        return rule.also().isEmpty()
                ? Stream.empty()
                : rule.also().stream().filter(further -> policy.isFor(further, request));
    }

    private List<RateLimitRequest> ofRules(Caller caller, boolean withDefault) {
        var requests = new ArrayList<RateLimitRequest>(4);
        if (rules.size() == 1) { // as nearly always
            var source = source(rules.get(0), caller);
            var identifiers = rules.get(0).options().key().identifiers(source);
            if (!identifiers.isEmpty()) {
                addRequests(requests, rules.get(0), identifiers, source, caller.tier(), withDefault);
                return requests;
            }
        }
        identifiers(caller).forEach((rule, identifiers) -> addRequests(requests, rule, identifiers, source(rule, caller),
                caller.tier(), withDefault));
        return requests;
    }

    /** Adds the requests of a rule and of those that hold too. */
    private void addRequests(List<RateLimitRequest> requests, LimitRule rule, List<String> identifiers, KeySource source,
            String tier, boolean withDefault) {
        if (!withDefault && rule.isDefault()) {
            return;
        }
        addRequests(requests, rule, identifiers, tier);
        for (var further : rule.also()) {
            if (policy.isFor(further, request)) {
                addRequests(requests, further, further.options().key().identifiers(source), tier);
            }
        }
    }

    private void addRequests(List<RateLimitRequest> requests, LimitRule rule, List<String> identifiers, String tier) {
        long cost = identifiers.isEmpty() ? 0 : cost(rule);
        for (var identifier : identifiers) {
            requests.add(request(rule, identifier, tier, cost));
        }
    }

    private long cost(LimitRule rule) {
        try {
            return rule.options().cost().units(request.headers(), request.query());
        } catch (InvalidCostException e) {
            if (rule.options().shadow()) {
                return rule.options().cost().base();
            }
            throw e;
        }
    }

    private RateLimitRequest request(LimitRule rule, String identifier, String tier, long cost) {
        return request.answered() || rule.options().count().isAll()
                ? rule.request(identifier, tier, cost)
                : rule.request(identifier, tier, 0);
    }

    /** Returns what requests of this match reserve until the answer is known; none if they take units in any case. */
    public List<AwaitedUnits> awaited(List<RateLimitRequest> requests) {
        List<AwaitedUnits> awaited = List.of();
        for (var each : requests) {
            for (var check : each.checks()) {
                var rule = check.reserved() ? policy.rule(check.resource()) : null;
                if (rule != null) {
                    awaited = awaited.isEmpty() ? new ArrayList<>(2) : awaited;
                    awaited.add(new AwaitedUnits(each.identifier(), check.resource(), check.cost(), rule.options()));
                }
            }
        }
        return awaited;
    }

    /** Returns the identifiers for each rule that applies. In place of one that does not, the next specific one applies. */
    private Map<LimitRule, List<String>> identifiers(Caller caller) {
        var excluded = new HashSet<LimitRule>();
        var applied = rules;
        while (true) {
            var identifiers = new LinkedHashMap<LimitRule, List<String>>();
            int before = excluded.size();
            for (var rule : applied) {
                var ofRule = rule.options().key().identifiers(source(rule, caller));
                if (ofRule.isEmpty()) {
                    excluded.add(rule);
                } else {
                    identifiers.put(rule, ofRule);
                }
            }
            if (!byPath || excluded.size() == before) {
                return identifiers;
            }
            applied = policy.rulesFor(request, excluded);
        }
    }

    /**
     * Returns what keys are read from that belong to no rule.
     *
     * @param variable returns the value of a variable of the path
     */
    public KeySource keySource(Caller caller, UnaryOperator<String> variable) {
        return new KeySource(request.headers(), request.query(), caller.identity(), request.address(),
                name -> List.of(variable.apply(name)));
    }

    private KeySource source(LimitRule rule, Caller caller) {
        return new KeySource(request.headers(), request.query(), caller.identity(), this::address,
                name -> policy.pathVariable(rule.options().template(), name, request.path()));
    }

    /** Returns the identity of the client's address, which several keys may read; null if there is no client. */
    private Identity address() {
        if (!addressKnown) {
            address = request.address().get();
            addressKnown = true;
        }
        return address;
    }

    private List<String> methods() {
        if (request.furtherMethods().isEmpty()) {
            return List.of(request.method());
        }
        var methods = new ArrayList<>(request.furtherMethods());
        methods.add(request.method());
        return methods;
    }
}
