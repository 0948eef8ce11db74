package dev.sluice.interceptor;

import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;

import jakarta.ws.rs.HttpMethod;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.QueryParam;

import org.jboss.resteasy.reactive.RestPath;
import org.jboss.resteasy.reactive.RestQuery;

import dev.sluice.api.RateLimited;

/**
 * Placeholders that {@link RateLimited#key()} of a method may use: path and query parameters on a JAX-RS method, which the
 * request filter resolves; otherwise the parameters of the method, which the interceptor resolves.
 */
final class KeyPlaceholders {

    private KeyPlaceholders() {
    }

    static Set<String> of(Class<?> beanClass, Method method) {
        var names = new TreeSet<String>();
        boolean endpoint = Arrays.stream(method.getAnnotations())
                .anyMatch(annotation -> annotation.annotationType().isAnnotationPresent(HttpMethod.class));
        var parameters = method.getParameters();
        for (int i = 0; i < parameters.length; i++) {
            if (endpoint) {
                addFromRequest(names, parameters[i]);
            } else {
                names.add(Integer.toString(i));
                addParameterName(names, parameters[i]);
            }
        }
        if (endpoint) {
            addFromPath(names, beanClass.getAnnotation(Path.class));
            addFromPath(names, method.getAnnotation(Path.class));
        }
        return names;
    }

    private static void addFromRequest(Set<String> names, Parameter parameter) {
        var path = parameter.getAnnotation(PathParam.class);
        var query = parameter.getAnnotation(QueryParam.class);
        var restPath = parameter.getAnnotation(RestPath.class);
        var restQuery = parameter.getAnnotation(RestQuery.class);
        if (path != null) {
            names.add(path.value());
        } else if (query != null) {
            names.add(query.value());
        } else if (restPath != null && !restPath.value().isEmpty()) {
            names.add(restPath.value());
        } else if (restQuery != null && !restQuery.value().isEmpty()) {
            names.add(restQuery.value());
        } else if (restPath != null || restQuery != null) {
            addParameterName(names, parameter);
        }
    }

    private static void addParameterName(Set<String> names, Parameter parameter) {
        if (parameter.isNamePresent()) {
            names.add(parameter.getName());
        }
    }

    /** Adds the path parameters of a template: {@code {name}} or {@code {name: regex}}. */
    private static void addFromPath(Set<String> names, Path path) {
        if (path == null) {
            return;
        }
        for (var name : new KeyTemplate(path.value()).placeholders()) {
            int colon = name.indexOf(':');
            names.add((colon < 0 ? name : name.substring(0, colon)).strip());
        }
    }
}
