package dev.sluice.store;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import dev.sluice.redis.HashTags;

/**
 * Claims of several identifiers that are decided together, with their encoded script arguments. Shared by all requests with the same
 * claims. All claims of an identifier have the same {@link Enforcement}. A cost of 0 asks for one unit and takes none.
 */
public final class JointPlan {

    private final List<ClaimPlan> parts;
    private final ClaimPlan claims;
    private final ClaimPlan.Operation[] operations = new ClaimPlan.Operation[2];
    /** The plan for the next or the previous calendar periods, which {@link #at} returned last; null before that. */
    private volatile JointPlan neighbor;

    /** @param parts the claims of each identifier, none of them empty */
    public JointPlan(List<? extends List<WindowClaim>> parts) {
        this.parts = parts.stream().map(ClaimPlan::of).toList();
        this.claims = ClaimPlan.of(parts.stream().<WindowClaim>flatMap(List::stream).toList());
    }

    /** Returns the plan for the calendar periods of a time in microseconds: this one, if it is for these periods. */
    public JointPlan at(long micros) {
        if (claims.at(micros) == claims) {
            return this;
        }
        var found = neighbor;
        if (found == null || found.claims.at(micros) != found.claims) {
            found = new JointPlan(parts.stream().map(part -> part.at(micros)).toList());
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

    /** Returns the units that a claim must have left in its window. */
    public static long needed(WindowClaim claim) {
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
        boolean exceeded = Arrays.stream(result.windows()).anyMatch(state -> state.retryAt() != 0);
        return part.get(0).enforcement().takes(result.admitted(), exceeded)
                ? part.stream().filter(claim -> claim.cost() > 0).toList()
                : List.of();
    }

    /** Returns the script's keys: the index and the window of each claim. */
    public byte[][] keys(HashTags hashTags, List<String> identifiers) {
        var result = new byte[2 * claims.size()][];
        int at = 0;
        for (int i = 0; i < parts.size(); i++) {
            var keys = parts.get(i).keys(hashTags, identifiers.get(i), null);
            for (int j = 1; j < keys.length; j++) {
                result[at++] = keys[0];
                result[at++] = keys[j];
            }
        }
        return result;
    }

    /**
     * Returns the encoded arguments of an operation.
     *
     * @param exactUpTo the largest limit that is counted exactly; must be the same for all calls
     */
    public ClaimPlan.Operation operation(boolean consume, long exactUpTo) {
        var operation = operations[consume ? 1 : 0];
        if (operation == null) {
            operation = new ClaimPlan.Operation(consume, false, exactUpTo, arguments(consume, exactUpTo));
            operations[consume ? 1 : 0] = operation; // a race creates an equal value
        }
        return operation;
    }

    private List<byte[]> arguments(boolean consume, long exactUpTo) {
        var arguments = new ArrayList<byte[]>(3 + 6 * claims.size());
        arguments.add(ClaimPlan.bytes(Integer.toString(claims.size())));
        arguments.add(ClaimPlan.bytes(consume ? "1" : "0"));
        arguments.add(ClaimPlan.bytes("2"));
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
