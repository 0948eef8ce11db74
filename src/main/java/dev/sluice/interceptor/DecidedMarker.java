package dev.sluice.interceptor;

import java.lang.reflect.Method;
import java.util.Arrays;

import io.vertx.ext.web.RoutingContext;

/**
 * Marks a request whose method annotations the request filter has decided, so that the interceptor does not count them a
 * second time.
 */
public final class DecidedMarker {

    private static final String KEY = "dev.sluice.decided";

    private DecidedMarker() {
    }

    /** Marks the annotations of a method as decided for a request. */
    public static void mark(RoutingContext request, Method method) {
        request.put(KEY, method);
    }

    /** Returns whether the annotations of a method were decided for a request, and removes the mark: true only once. */
    static boolean consume(RoutingContext request, Method method) {
        if (request == null || !(request.get(KEY) instanceof Method decided) || !isSameMethod(decided, method)) {
            return false;
        }
        request.remove(KEY);
        return true;
    }

    /** Compares methods by signature: JAX-RS and CDI may report different declaring classes of one hierarchy. */
    private static boolean isSameMethod(Method one, Method other) {
        return one.getName().equals(other.getName()) && Arrays.equals(one.getParameterTypes(), other.getParameterTypes())
                && (one.getDeclaringClass().isAssignableFrom(other.getDeclaringClass())
                        || other.getDeclaringClass().isAssignableFrom(one.getDeclaringClass()));
    }
}
