package dev.sluice.interceptor;

import java.lang.reflect.Method;
import java.util.Arrays;

import io.vertx.ext.web.RoutingContext;

/** The note by which the request filter tells the interceptor that it has decided a method's annotations already. */
public final class DecidedMarker {

    private static final String KEY = "dev.sluice.decided";

    private DecidedMarker() {
    }

    /** The annotations of this method were decided for the request. */
    public static void mark(RoutingContext request, Method method) {
        request.put(KEY, method);
    }

    /** Whether the call of this method was decided; true once. */
    static boolean consume(RoutingContext request, Method method) {
        if (request == null || !(request.get(KEY) instanceof Method decided) || !same(decided, method)) {
            return false;
        }
        request.remove(KEY);
        return true;
    }

    /** Whether both are one, as it is declared by the class or by something above it. */
    private static boolean same(Method one, Method other) {
        return one.getName().equals(other.getName()) && Arrays.equals(one.getParameterTypes(), other.getParameterTypes())
                && (one.getDeclaringClass().isAssignableFrom(other.getDeclaringClass())
                        || other.getDeclaringClass().isAssignableFrom(one.getDeclaringClass()));
    }
}
