package dev.sluice.store;

import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.RandomAccess;

import dev.sluice.redis.HashTags;

/** Immutable list of claims with its encoded script keys and arguments, shared by all requests with the same claims. */
public final class ClaimPlan extends AbstractList<WindowClaim> implements RandomAccess {

    /** Encoded script arguments of the plan for one kind of operation. */
    public record Operation(boolean consume, boolean reserves, List<byte[]> arguments) {
    }

    private final WindowClaim[] claims;
    private final boolean reserved;
    /** Parts of each window's key before and after the identifier. */
    private final String[] keyPrefixes;
    private final String[] keySuffixes;
    private final Operation[] operations = new Operation[3];

    private ClaimPlan(List<WindowClaim> claims) {
        this.claims = claims.toArray(WindowClaim[]::new);
        this.reserved = claims.stream().anyMatch(WindowClaim::reserved);
        this.keyPrefixes = new String[this.claims.length];
        this.keySuffixes = new String[this.claims.length];
        for (int i = 0; i < this.claims.length; i++) {
            keyPrefixes[i] = WindowKeys.windowPrefix(windowSeconds(i));
            keySuffixes[i] = ':' + this.claims[i].resource();
        }
    }

    public static ClaimPlan of(List<WindowClaim> claims) {
        return claims instanceof ClaimPlan plan ? plan : new ClaimPlan(claims);
    }

    private long windowSeconds(int i) {
        return claims[i].span() / 1_000_000;
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
            operation = new Operation(consume, reserves, arguments(consume, reserves, exactUpTo));
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
        arguments.add(bytes(Long.toString(claim.span())));
        arguments.add(bytes(Long.toString(claim.cost())));
        arguments.add(bytes(claim.isExact(exactUpTo) ? "log" : claim.reserved() ? "reserved" : "ring"));
        arguments.add(bytes(WindowKeys.windowMember(claim.resource(), windowSeconds(i))));
    }

    public static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
