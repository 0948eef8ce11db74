package dev.sluice.store;

import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.RandomAccess;

import dev.sluice.redis.HashTags;

/**
 * Immutable list of claims with its encoded script keys and arguments, shared by all requests with the same claims. The claims of
 * calendar windows name the periods of one time; {@link #at} returns the plan for another time.
 */
public final class ClaimPlan extends AbstractList<WindowClaim> implements RandomAccess {

    /** Encoded script arguments of the plan for one kind of operation. */
    public record Operation(boolean consume, boolean reserves, long exactUpTo, List<byte[]> arguments) {
    }

    private final WindowClaim[] claims;
    private final boolean reserved;
    private final boolean concurrency;
    /** Parts of each window's key before and after the identifier. */
    private final String[] keyPrefixes;
    private final String[] keySuffixes;
    private final Operation[] operations = new Operation[3];
    /** Begin of the latest and end of the first period of a calendar window, in microseconds. */
    private final long validFrom;
    private final long validUntil;
    /** The plan for the next or the previous periods, which {@link #at} returned last; null before that. */
    private volatile ClaimPlan neighbor;

    /** 0 until it is computed; a race computes the same value. */
    private int hash;

    private ClaimPlan(List<WindowClaim> claims) {
        this.claims = claims.toArray(WindowClaim[]::new);
        this.reserved = claims.stream().anyMatch(WindowClaim::reserved);
        this.concurrency = claims.stream().anyMatch(WindowClaim::isConcurrency);
        this.keyPrefixes = new String[this.claims.length];
        this.keySuffixes = new String[this.claims.length];
        for (int i = 0; i < this.claims.length; i++) {
            keyPrefixes[i] = this.claims[i].isConcurrency() ? WindowKeys.SLOTS : WindowKeys.windowPrefix(member(i));
            keySuffixes[i] = ':' + this.claims[i].resource();
        }
        var calendars = claims.stream().map(WindowClaim::calendar).filter(Objects::nonNull).toList();
        this.validFrom = calendars.stream().mapToLong(CalendarWindow::startMicros).max().orElse(Long.MIN_VALUE);
        this.validUntil = calendars.stream().mapToLong(CalendarWindow::endMicros).min().orElse(Long.MAX_VALUE);
    }

    public static ClaimPlan of(List<WindowClaim> claims) {
        return claims instanceof ClaimPlan plan ? plan : new ClaimPlan(claims);
    }

    /**
     * Returns claims for the calendar periods of a time in microseconds: the same list, if it is for these periods. For a result of a
     * store, {@link StoreResult#now} selects the claims that were decided.
     */
    public static List<WindowClaim> at(List<WindowClaim> claims, long micros) {
        if (claims instanceof ClaimPlan plan) {
            return plan.at(micros);
        }
        for (var claim : claims) {
            if (claim.at(micros) != claim) {
                return claims.stream().map(each -> each.at(micros)).toList();
            }
        }
        return claims;
    }

    /** Returns the plan for the calendar periods of a time in microseconds: this one, if it is for these periods. */
    public ClaimPlan at(long micros) {
        if (isValidAt(micros)) {
            return this;
        }
        var found = neighbor;
        if (found == null || !found.isValidAt(micros)) {
            found = new ClaimPlan(stream().map(claim -> claim.at(micros)).toList());
            found.neighbor = this;
            neighbor = found; // a race creates an equal plan
        }
        return found;
    }

    /** Returns the plan for the calendar periods of a clock's time. The clock is not read if there are no calendar windows. */
    public ClaimPlan at(MicrosClock clock) {
        return isCalendar() ? at(clock.micros()) : this;
    }

    /** Returns whether any claim is for a calendar window. */
    boolean isCalendar() {
        return validUntil != Long.MAX_VALUE;
    }

    private boolean isValidAt(long micros) {
        return micros >= validFrom && micros < validUntil;
    }

    private String member(int i) {
        return WindowKeys.windowMember(WindowKey.of(claims[i]));
    }

    @Override
    public int hashCode() {
        if (hash == 0) {
            hash = super.hashCode();
        }
        return hash;
    }

    @Override
    public boolean equals(Object other) {
        return super.equals(other);
    }

    @Override
    public WindowClaim get(int index) {
        return claims[index];
    }

    @Override
    public int size() {
        return claims.length;
    }

    /** Returns whether any cost is an estimate that is settled later. */
    public boolean reserved() {
        return reserved;
    }

    /** Returns whether any claim is of slots of requests in flight. */
    public boolean hasConcurrency() {
        return concurrency;
    }

    /**
     * Returns the script's keys for an identifier: the index, the windows, and the reservation if there is one.
     *
     * @param reservation the reservation's index member; null if nothing is reserved
     */
    public byte[][] keys(HashTags hashTags, String identifier, String reservation) {
        var tag = hashTags.keyPrefix(identifier);
        var result = new byte[claims.length + (reservation == null ? 1 : 2)][];
        result[0] = bytes(WindowKeys.index(tag, identifier));
        for (int i = 0; i < claims.length; i++) {
            result[i + 1] = bytes(tag + keyPrefixes[i] + identifier.length() + ':' + identifier + keySuffixes[i]);
        }
        if (reservation != null) {
            result[claims.length + 1] = bytes(WindowKeys.reservation(tag, identifier, reservation));
        }
        return result;
    }

    /**
     * Returns the encoded arguments of an operation.
     *
     * @param exactUpTo the largest limit that is counted exactly; must be the same for all calls
     */
    public Operation operation(boolean consume, boolean reserves, long exactUpTo) {
        int index = !consume ? 0 : reserves ? 2 : 1;
        var operation = operations[index];
        if (operation == null) {
            operation = new Operation(consume, reserves, exactUpTo, arguments(consume, reserves, exactUpTo));
            operations[index] = operation; // a race creates an equal value
        }
        return operation;
    }

    private List<byte[]> arguments(boolean consume, boolean reserves, long exactUpTo) {
        var arguments = new ArrayList<byte[]>(3 + 5 * claims.length);
        arguments.add(bytes(Integer.toString(claims.length)));
        arguments.add(bytes(consume ? "1" : "0"));
        arguments.add(bytes(reserves ? "1" : "0"));
        for (int i = 0; i < claims.length; i++) {
            addArguments(i, exactUpTo, arguments);
        }
        return List.copyOf(arguments);
    }

    /** Adds the encoded arguments of a claim. */
    void addArguments(int i, long exactUpTo, List<byte[]> arguments) {
        var claim = claims[i];
        arguments.add(bytes(Long.toString(claim.limit())));
        arguments.add(bytes(WindowKey.of(claim).length()));
        arguments.add(bytes(Long.toString(claim.cost())));
        arguments.add(bytes(form(claim, exactUpTo)));
        arguments.add(bytes(member(i)));
    }

    private static String form(WindowClaim claim, long exactUpTo) {
        if (claim.isConcurrency()) {
            return "slots";
        }
        return claim.isExact(exactUpTo) ? "log" : claim.reserved() ? "reserved" : "ring";
    }

    public static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
