package dev.sluice.directory.cache;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.sluice.api.Identifiers;
import dev.sluice.directory.IdentityAttributes;
import dev.sluice.directory.IdentityKind;
import dev.sluice.identity.chain.ChainLevel;
import dev.sluice.identity.chain.IdentityChain;
import dev.sluice.identity.chain.OwnLimits;

/** Builds the chain of a caller from the records of its levels. */
final class ChainBuilder {

    private final List<ChainLevel> levels = new ArrayList<>(6);
    private final List<List<String>> models = new ArrayList<>(4);

    private ChainBuilder() {
    }

    /**
     * Builds a chain.
     *
     * @param keyId id of the key; null if there is none
     * @param key its attributes; null if there is none
     * @param user record of the user; null if there is no user
     * @param team record of the team; null if there is no team
     * @param org record of the organisation; null if there is none
     */
    static ResolvedCaller build(@Nullable String keyId, @Nullable IdentityAttributes key, @Nullable CachedRecord user,
            @Nullable CachedRecord team, @Nullable CachedRecord org) {
        var builder = new ChainBuilder();
        if (keyId != null && key != null) {
            builder.add(IdentityKind.KEY.identifier(keyId), key);
        }
        builder.add(IdentityKind.USER, user);
        builder.addGroup(IdentityKind.TEAM, team, user);
        builder.addGroup(IdentityKind.ORG, org, user);
        var userAttributes = user == null ? null : user.attributes();
        var tier = userAttributes != null && userAttributes.tier() != null
                ? userAttributes.tier()
                : key == null ? null : key.tier();
        return new ResolvedCaller(tier, new IdentityChain(keyId, nameOf(user), nameOf(team), nameOf(org), builder.levels,
                builder.models));
    }

    private static @Nullable String nameOf(@Nullable CachedRecord record) {
        return record == null ? null : record.name();
    }

    private void addGroup(IdentityKind kind, @Nullable CachedRecord group, @Nullable CachedRecord user) {
        if (group != null && group.attributes() != null && user != null) {
            addLevel(memberIdentifier(kind.identifier(group.name()), user.name()), group.attributes().memberLimits());
        }
        add(kind, group);
    }

    /** Returns the identifier of a member, with a hash of the user's name if the names are too long for an identifier. */
    private static String memberIdentifier(String group, String user) {
        var identifier = group + '/' + IdentityKind.USER.identifier(user);
        return Identifiers.isValid(identifier)
                ? identifier
                : group + '/' + IdentityKind.USER.identifier("sha256:" + sha256(user));
    }

    private static String sha256(String text) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java platform has it
        }
    }

    private void add(IdentityKind kind, @Nullable CachedRecord record) {
        if (record != null && record.attributes() != null) {
            add(kind.identifier(record.name()), record.attributes());
        }
    }

    private void add(String identifier, IdentityAttributes attributes) {
        addLevel(identifier, attributes.limits());
        if (attributes.models() != null) {
            models.add(attributes.models());
        }
    }

    private void addLevel(String identifier, OwnLimits limits) {
        if (!limits.isEmpty()) {
            levels.add(new ChainLevel(identifier, limits));
        }
    }
}
