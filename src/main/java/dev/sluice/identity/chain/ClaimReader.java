package dev.sluice.identity.chain;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;

import io.vertx.core.json.DecodeException;
import io.vertx.core.json.Json;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Reads a name from a claim of a JWT: a claim of exactly that name, or a path with dots into nested claims. Immutable. */
public final class ClaimReader {

    private final String path;
    private final String[] steps;

    /** @param path name of the claim, or path with dots: {@code resource.team} */
    public ClaimReader(String path) {
        this.path = path.strip();
        this.steps = this.path.split("\\.");
    }

    /** Returns the path. */
    public String path() {
        return path;
    }

    /**
     * Reads the name.
     *
     * @param claims returns a claim by its name; null if there is none
     * @param token the verified token, of which nested claims are read; null if it is not known
     * @return null if the token does not have the claim
     * @throws InvalidClaimException if the claim is not one text: an array of several, or another type
     */
    public @Nullable String read(Function<String, @Nullable Object> claims, @Nullable String token)
            throws InvalidClaimException {
        if (path.isEmpty()) {
            return null;
        }
        var claim = claims.apply(path);
        if (claim instanceof String text) {
            return text; // nearly all tokens
        }
        if (claim == null && (steps.length < 2 || claims.apply(steps[0]) == null)) {
            return null;
        }
        return token == null ? null : name(valueIn(payload(token)));
    }

    /**
     * Reads a claim of any type as a text: a text as it is, a number or a boolean in its JSON form, an array of one element as that
     * element. Other arrays and objects are JSON with sorted keys, so that equal claims are equal texts.
     *
     * @param claims returns a claim by its name; null if there is none
     * @param token the verified token; null if it is not known
     * @return null if the token does not have the claim, or it is null or an empty array
     */
    public @Nullable String readText(Function<String, @Nullable Object> claims, @Nullable String token) {
        var claim = claims.apply(path);
        if (claim instanceof String text) {
            return text;
        }
        if (token == null) {
            return claim == null ? null : claim.toString();
        }
        try {
            return text(valueIn(payload(token)));
        } catch (InvalidClaimException e) {
            return null; // a verified token has claims that can be read
        }
    }

    private static @Nullable String text(@Nullable Object value) {
        if (value instanceof JsonArray array && array.size() <= 1) {
            return array.isEmpty() ? null : text(array.getValue(0));
        }
        return value == null
                ? null
                : value instanceof JsonArray || value instanceof JsonObject ? Json.encode(sorted(value)) : value.toString();
    }

    private static @Nullable Object sorted(@Nullable Object value) {
        if (value instanceof JsonObject object) {
            var members = new TreeMap<String, @Nullable Object>();
            object.forEach(member -> members.put(member.getKey(), sorted(member.getValue())));
            return new JsonObject(members);
        }
        return value instanceof JsonArray array
                ? new JsonArray(array.stream().map(ClaimReader::sorted).collect(Collectors.toList())) // null is an element
                : value;
    }

    private static JsonObject payload(String token) throws InvalidClaimException {
        var parts = token.split("\\.");
        try {
            return new JsonObject(new String(Base64.getUrlDecoder().decode(parts[1]), StandardCharsets.UTF_8));
        } catch (DecodeException | IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
            throw new InvalidClaimException("The claims of the token cannot be read");
        }
    }

    private @Nullable Object valueIn(JsonObject payload) {
        if (payload.containsKey(path)) {
            return payload.getValue(path);
        }
        Object value = payload;
        for (var step : steps) {
            value = value instanceof JsonObject object ? object.getValue(step) : null;
        }
        return value;
    }

    private @Nullable String name(@Nullable Object value) throws InvalidClaimException {
        if (value == null || value instanceof JsonArray none && none.isEmpty()) {
            return null;
        }
        if (value instanceof JsonArray several && several.size() > 1) {
            throw new InvalidClaimException("The claim " + path + " of the token has " + several.size()
                    + " values; it must have one");
        }
        var only = value instanceof JsonArray one ? one.getValue(0) : value;
        if (only instanceof String text) {
            return text;
        }
        throw new InvalidClaimException("The claim " + path + " of the token must be a text, or an array of one text");
    }
}
