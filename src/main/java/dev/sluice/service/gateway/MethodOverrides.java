package dev.sluice.service.gateway;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.service.config.ServiceConfig;
import dev.sluice.text.FieldNames;
import dev.sluice.text.ParameterNames;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpServerRequest;

/**
 * Method overrides: header fields and a query parameter by which frameworks let a client replace the method of its request, and
 * so reach an endpoint past the rule of its method. They are removed, or the rules of the methods that they name hold too.
 * <p>
 * A form field in a body is not looked at. Thread-safe.
 */
@ApplicationScoped
public class MethodOverrides {

    private static final Set<String> FIELDS = Set.of("x-http-method-override", "x-method-override", "x-http-method");
    private static final String PARAMETER = "_method";
    /** Splits a query after each separator. Rack 2 (Rails) takes the semicolon for one too. */
    private static final Pattern PARTS = Pattern.compile("(?<=[&;])");

    private final boolean allowed;

    MethodOverrides(ServiceConfig settings) {
        allowed = settings.methodOverride() == ServiceConfig.MethodOverride.ALLOW;
    }

    /** Returns the methods that a request names besides its own; none if overrides are removed. */
    List<String> methods(HttpServerRequest request) {
        return allowedMethods(request.headers(), request.query());
    }

    /**
     * Returns the methods that a request to the gateway names besides its own; none if overrides are removed.
     *
     * @param query query of the request; null if there is none
     */
    public List<String> allowedMethods(MultiMap headers, String query) {
        return allowed ? methods(headers, query) : List.of();
    }

    /**
     * Returns the methods that a request names besides its own, also if overrides are removed from forwarded requests: from those
     * that another proxy forwards, Sluice cannot remove them.
     *
     * @param headers headers of the request
     * @param query query of the request, as it was sent; null if there is none
     */
    public static List<String> methods(MultiMap headers, String query) {
        var methods = new ArrayList<String>(1);
        for (var field : headers) {
            if (isField(field.getKey())) {
                methods.add(field.getValue().strip());
            }
        }
        if (query != null) {
            for (var part : PARTS.split(query)) {
                if (isOverride(part)) {
                    methods.add(decoded(withoutSeparator(part).substring(part.indexOf('=') + 1)).strip());
                }
            }
        }
        return methods;
    }

    /** Removes the fields of overrides that are not allowed. */
    void removeFrom(MultiMap headers) {
        if (!allowed) {
            List<String> found = null;
            for (var field : headers) {
                if (isField(field.getKey())) {
                    found = found == null ? new ArrayList<>(1) : found;
                    found.add(field.getKey());
                }
            }
            if (found != null) {
                found.forEach(headers::remove);
            }
        }
    }

    /** Returns a target without the parameters of overrides that are not allowed. */
    String removeFrom(String target) {
        int query = allowed ? -1 : target.indexOf('?');
        if (query < 0) {
            return target;
        }
        var parts = PARTS.split(target.substring(query + 1));
        var kept = Arrays.stream(parts).filter(part -> !isOverride(part)).toList();
        if (kept.size() == parts.length) {
            return target;
        }
        var rest = String.join("", kept);
        boolean lastRemoved = isOverride(parts[parts.length - 1]);
        return target.substring(0, query) + (rest.isEmpty() ? "" : '?' + (lastRemoved ? withoutSeparator(rest) : rest));
    }

    private static boolean isField(String name) {
        return name.length() >= "x-http-method".length() && name.length() <= "x-http-method-override".length()
                && FIELDS.contains(FieldNames.asSeenByCgi(name));
    }

    /** Returns a part of a query without the separator at its end. */
    private static String withoutSeparator(String part) {
        return part.endsWith("&") || part.endsWith(";") ? part.substring(0, part.length() - 1) : part;
    }

    /** @param part {@code name=value} or {@code name}, and a separator unless it is the last one */
    private static boolean isOverride(String part) {
        var parameter = withoutSeparator(part);
        int equals = parameter.indexOf('=');
        var name = equals < 0 ? parameter : parameter.substring(0, equals);
        if (name.indexOf('%') >= 0 || name.indexOf('+') >= 0) {
            name = decoded(name);
        }
        int index = name.indexOf('[', 1);
        return ParameterNames.isReadAs(index < 0 ? name : name.substring(0, index), PARAMETER);
    }

    private static String decoded(String text) {
        try {
            return QueryStringDecoder.decodeComponent(text);
        } catch (IllegalArgumentException e) {
            return text; // a lone percent sign
        }
    }
}
