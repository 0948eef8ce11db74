package dev.sluice.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;

import org.jboss.resteasy.reactive.server.spi.ResteasyReactiveContainerRequestContext;
import org.junit.jupiter.api.Test;

/** Tests results and failures that arrive before and after the filter returns. */
class SuspendedRequestTest {

    private static final AdmissionResult ADMITTED = new AdmissionResult(null, null);

    private final List<String> calls = new ArrayList<>();
    private final ResteasyReactiveContainerRequestContext context = (ResteasyReactiveContainerRequestContext) Proxy
            .newProxyInstance(getClass().getClassLoader(), new Class<?>[]{ResteasyReactiveContainerRequestContext.class},
                    (proxy, method, arguments) -> {
                        calls.add(arguments == null ? method.getName() : method.getName() + " " + arguments[0]);
                        return null;
                    });
    private final SuspendedRequest request = new SuspendedRequest(context, result -> calls.add("act"));

    @Test
    void immediateResultNeverSuspends() {
        request.onResult(ADMITTED);
        request.admissionRequested();

        assertThat(calls).containsExactly("act");
    }

    @Test
    void laterResultResumes() {
        request.admissionRequested();
        request.onResult(ADMITTED);

        assertThat(calls).containsExactly("suspend", "act", "resume");
    }

    @Test
    void immediateFailureIsThrown() {
        var failure = new IllegalArgumentException("no");
        request.onFailure(failure);

        assertThatThrownBy(request::admissionRequested).isSameAs(failure);
        assertThat(calls).isEmpty();
    }

    @Test
    void laterFailureResumesWithIt() {
        request.admissionRequested();
        request.onFailure(new IllegalArgumentException("no"));

        assertThat(calls).containsExactly("suspend", "resume java.lang.IllegalArgumentException: no");
    }

    @Test
    void checkedFailureIsWrapped() {
        request.onFailure(new IOException("gone"));

        assertThatThrownBy(request::admissionRequested).isInstanceOf(IllegalStateException.class)
                .hasCauseInstanceOf(IOException.class);
    }

    @Test
    void failureOfTheActionEndsTheRequest() {
        var failing = new SuspendedRequest(context, result -> {
            throw new IllegalStateException("action");
        });
        failing.admissionRequested();
        failing.onResult(ADMITTED);

        assertThat(calls).containsExactly("suspend", "resume java.lang.IllegalStateException: action");
    }
}
