package dev.sluice.service.gateway;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.service.config.ServiceConfig;
import dev.sluice.service.edge.FieldNames;
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
class MethodOverrides {

    private static final Set<String> FIELDS = Set.of("x-http-method-override", "x-method-override", "x-http-method");
    private static final String PARAMETER = "method";
    /** Characters that PHP takes for the underscore in {@code _method}, and the underscore. */
    private static final String UNDERSCORES = "_. [";

    private final boolean allowed;

    MethodOverrides(ServiceConfig settings) {
        allowed = settings.methodOverride() == ServiceConfig.MethodOverride.ALLOW;
    }

    /** Returns the methods that a request names besides its own; none if overrides are removed. */
    List<String> methods(HttpServerRequest request) {
        if (!allowed) {
            return List.of();
        }
        var methods = new ArrayList<String>(1);
        for (var field : request.headers()) {
            if (isField(field.getKey())) {
                methods.add(field.getValue().strip());
            }
        }
        var query = request.query();
        if (query != null) {
            for (var parameter : query.split("&", -1)) {
                if (isParameter(parameter)) {
                    methods.add(decoded(parameter.substring(parameter.indexOf('=') + 1)).strip());
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
        List<String> kept = null;
        var parameters = target.substring(query + 1).split("&", -1);
        for (int i = 0; i < parameters.length; i++) {
            if (isParameter(parameters[i])) {
                kept = kept == null ? new ArrayList<>(List.of(parameters).subList(0, i)) : kept;
            } else if (kept != null) {
                kept.add(parameters[i]);
            }
        }
        if (kept == null) {
            return target;
        }
        return target.substring(0, query) + (kept.isEmpty() ? "" : '?' + String.join("&", kept));
    }

    private static boolean isField(String name) {
        return name.length() >= "x-http-method".length() && name.length() <= "x-http-method-override".length()
                && FIELDS.contains(FieldNames.asSeenByCgi(name));
    }

    /** @param parameter {@code name=value} or {@code name} */
    private static boolean isParameter(String parameter) {
        int equals = parameter.indexOf('=');
        var name = equals < 0 ? parameter : parameter.substring(0, equals);
        if (name.indexOf('%') >= 0 || name.indexOf('+') >= 0) {
            name = decoded(name);
        }
        return name.length() > PARAMETER.length() && UNDERSCORES.indexOf(name.charAt(0)) >= 0
                && name.regionMatches(true, 1, PARAMETER, 0, PARAMETER.length())
                && (name.length() == 1 + PARAMETER.length() || name.charAt(1 + PARAMETER.length()) == '[');
    }

    private static String decoded(String text) {
        try {
            return QueryStringDecoder.decodeComponent(text);
        } catch (IllegalArgumentException e) {
            return text; // a lone percent sign
        }
    }
}
