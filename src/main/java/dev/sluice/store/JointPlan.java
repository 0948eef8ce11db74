package dev.sluice.store;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import dev.sluice.redis.HashTags;

/**
 * Claims of several identifiers that are decided together, with their encoded script arguments. Shared by all requests with the same
 * claims. All claims of an identifier have the same {@link Enforcement}.
 */
public final class JointPlan {

    private final List<ClaimPlan> parts;
    private final ClaimPlan claims;
    private final boolean zeroCostAsks;
    private final boolean enforced;
    private final ClaimPlan.Operation[] operations = new ClaimPlan.Operation[3];
    /** The plan for the next or the previous calendar periods, which {@link #at} returned last; null before that. */
    private volatile JointPlan neighbor;

    /**
     * Creates a plan whose claims of cost 0 ask for one unit and take none.
     *
     * @param parts the claims of each identifier, none of them empty
     */
    public JointPlan(List<? extends List<WindowClaim>> parts) {
        this(parts, true);
    }

    /**
     * @param parts the claims of each identifier, none of them empty
     * @param zeroCostAsks whether a claim of cost 0 asks for one unit; otherwise it is reported and denies nothing
     */
    public JointPlan(List<? extends List<WindowClaim>> parts, boolean zeroCostAsks) {
        this.parts = parts.stream().map(ClaimPlan::of).toList();
        this.claims = ClaimPlan.of(parts.stream().<WindowClaim>flatMap(List::stream).toList());
        this.zeroCostAsks = zeroCostAsks;
        this.enforced = claims.stream()
                .allMatch(claim -> claim.enforcement() == Enforcement.ENFORCED && (claim.cost() > 0 || !zeroCostAsks));
    }

    /** Returns the plan for the calendar periods of a time in microseconds: this one, if it is for these periods. */
    public JointPlan at(long micros) {
        if (claims.at(micros) == claims) {
            return this;
        }
        var found = neighbor;
        if (found == null || found.claims.at(micros) != found.claims) {
            found = new JointPlan(parts.stream().map(part -> part.at(micros)).toList(), zeroCostAsks);
            found.neighbor = this;
            neighbor = found; // a race creates an equal plan
        }
        return found;
    }

    /** Returns the plan for the calendar periods of a clock's time. The clock is not read if there are no calendar windows. */
    public JointPlan at(MicrosClock clock) {
        return claims.isCalendar() ? at(clock.micros()) : this;
    }

    /** Returns the claims of each identifier. */
    public List<ClaimPlan> parts() {
        return parts;
    }

    /** Returns the claims of all identifiers, in order. */
    public ClaimPlan claims() {
        return claims;
    }

    /** Returns whether no claim denies the request. */
    public boolean isShadow() {
        return claims.stream().allMatch(claim -> claim.enforcement() == Enforcement.SHADOW);
    }

    /** Returns whether all claims must fit: a request takes its cost from all windows or from none. */
    public boolean isEnforced() {
        return enforced;
    }

    /** Returns whether any cost is an estimate that is settled later. */
    public boolean reserved() {
        return claims.reserved();
    }

    /** Returns a plan with other claims that treats costs of 0 as this one does. */
    public JointPlan with(List<? extends List<WindowClaim>> otherParts) {
        return new JointPlan(otherParts, zeroCostAsks);
    }

    /** Returns the units that a claim must have left in its window; 0 if it denies nothing. */
    public long needed(WindowClaim claim) {
        if (claim.cost() == 0 && !zeroCostAsks) {
            return 0;
        }
        return claim.enforcement() == Enforcement.CHARGED || claim.cost() == 0 ? 1 : claim.cost();
    }

    /** Returns whether a request is admitted, given which parts have a claim that does not fit. */
    public boolean isAdmitted(boolean[] exceeded) {
        int quotas = 0;
        int exhausted = 0;
        for (int i = 0; i < exceeded.length; i++) {
            switch (parts.get(i).get(0).enforcement()) {
                case ENFORCED, CHARGED -> {
                    if (exceeded[i]) {
                        return false;
                    }
                }
                case QUOTA -> {
                    quotas++;
                    exhausted += exceeded[i] ? 1 : 0;
                }
                case SHADOW -> {
                    // denies nothing
                }
            }
        }
        return quotas == 0 || exhausted < quotas;
    }

    /** Returns the result of each part. */
    public List<StoreResult> split(StoreResult result) {
        var results = new ArrayList<StoreResult>(parts.size());
        int from = 0;
        for (var part : parts) {
            results.add(new StoreResult(result.admitted(), result.now(),
                    Arrays.copyOfRange(result.windows(), from, from + part.size())));
            from += part.size();
        }
        return results;
    }

    /** Returns the claims of a part that were taken; empty if none was. */
    public static List<WindowClaim> taken(List<WindowClaim> part, StoreResult result) {
        boolean exceeded = false;
        for (var state : result.windows()) {
            exceeded |= state.retryAt() != 0;
        }
        if (!part.get(0).enforcement().takes(result.admitted(), exceeded)) {
            return List.of();
        }
        for (var claim : part) {
            if (claim.cost() == 0) {
                return part.stream().filter(each -> each.cost() > 0).toList();
            }
        }
        return part;
    }

    /**
     * Returns the script's keys: the index and the window of each claim, and the reservation of its identifier if there is one.
     *
     * @param reservation the reservation's index member; null if nothing is reserved
     */
    public byte[][] keys(HashTags hashTags, List<String> identifiers, String reservation) {
        var result = new byte[(reservation == null ? 2 : 3) * claims.size()][];
        int at = 0;
        for (int i = 0; i < parts.size(); i++) {
            var keys = parts.get(i).keys(hashTags, identifiers.get(i), reservation);
            for (int j = 1; j <= parts.get(i).size(); j++) {
                result[at++] = keys[0];
                result[at++] = keys[j];
                if (reservation != null) {
                    result[at++] = keys[keys.length - 1];
                }
            }
        }
        return result;
    }

    /**
     * Returns the encoded arguments of an operation.
     *
     * @param exactUpTo the largest limit that is counted exactly; must be the same for all calls
     */
    public ClaimPlan.Operation operation(boolean consume, boolean reserves, long exactUpTo) {
        int index = !consume ? 0 : reserves ? 2 : 1;
        var operation = operations[index];
        if (operation == null) {
            operation = new ClaimPlan.Operation(consume, reserves, exactUpTo, arguments(consume, reserves, exactUpTo));
            operations[index] = operation; // a race creates an equal value
        }
        return operation;
    }

    private List<byte[]> arguments(boolean consume, boolean reserves, long exactUpTo) {
        var arguments = new ArrayList<byte[]>(3 + 6 * claims.size());
        arguments.add(ClaimPlan.bytes(Integer.toString(claims.size())));
        arguments.add(ClaimPlan.bytes(consume ? "1" : "0"));
        arguments.add(ClaimPlan.bytes(zeroCostAsks ? "2" : reserves ? "4" : "3"));
        for (int i = 0; i < parts.size(); i++) {
            var part = parts.get(i);
            for (int j = 0; j < part.size(); j++) {
                part.addArguments(j, exactUpTo, arguments);
                arguments.add(ClaimPlan.bytes(part.get(j).enforcement().code() + Integer.toString(i + 1)));
            }
        }
        return List.copyOf(arguments);
    }
}
