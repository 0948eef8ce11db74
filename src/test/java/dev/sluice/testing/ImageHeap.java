package dev.sluice.testing;

import java.io.FileDescriptor;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.net.InetAddress;
import java.nio.Buffer;
import java.nio.channels.Channel;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicReference;

/** Objects and everything reachable from them: the heap that a native compiler would write into the image. */
public final class ImageHeap {

    /** Types of objects that belong to a process, or that must differ between processes. */
    private static final List<Class<?>> PROCESS_STATE = List.of(Thread.class, ClassLoader.class, Random.class, UUID.class,
            Instant.class, Clock.class, InetAddress.class, FileDescriptor.class, Channel.class, Process.class,
            ExecutorService.class);

    private final Set<Object> visited = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Set<Class<?>> types = new HashSet<>();
    private final List<String> processState = new ArrayList<>();

    /** Adds everything reachable from the static fields of a class. */
    public void addStatics(Class<?> type) {
        for (var field : type.getDeclaredFields()) {
            if (Modifier.isStatic(field.getModifiers())) {
                add(get(field, null), field.toString());
            }
        }
    }

    public void add(Object root) {
        add(root, root.getClass().getName());
    }

    /** Returns the classes of all objects. */
    public Set<Class<?>> types() {
        return types;
    }

    /** Returns the objects that must not be in the image, with the field from which they are reachable. */
    public List<String> processState() {
        return processState;
    }

    private void add(Object root, String source) {
        var queue = new ArrayDeque<>();
        queue.add(Optional.ofNullable(root));
        while (!queue.isEmpty()) {
            var object = queue.poll();
            // A logger refers to the log handlers, which Quarkus handles.
            if (object instanceof Class || object.getClass().getName().startsWith("org.jboss.logging.")
                    || !visited.add(object)) {
                continue;
            }
            types.add(object.getClass());
            if (PROCESS_STATE.stream().anyMatch(type -> type.isInstance(object))
                    || object instanceof Buffer buffer && buffer.isDirect()) {
                processState.add(object.getClass().getName() + " of " + source);
            }
            queue.addAll(references(object));
        }
    }

    private static List<Object> references(Object object) {
        var references = new ArrayList<>();
        if (object instanceof Object[] array) {
            references.addAll(Arrays.asList(array));
        } else if (object instanceof Optional<?> optional) {
            optional.ifPresent(references::add);
        } else if (object instanceof AtomicReference<?> reference) {
            references.add(reference.get());
        } else if (object.getClass().getModule().isNamed()) {
            // Fields of JDK classes are inaccessible; the elements of collections are not.
            if (object instanceof Map<?, ?> map) {
                references.addAll(map.keySet());
                references.addAll(map.values());
            } else if (object instanceof Collection<?> collection) {
                references.addAll(collection);
            }
        } else {
            for (Class<?> type = object.getClass(); type != null && !type.getModule().isNamed(); type = type.getSuperclass()) {
                for (var field : type.getDeclaredFields()) {
                    if (!Modifier.isStatic(field.getModifiers()) && !field.getType().isPrimitive()) {
                        references.add(get(field, object));
                    }
                }
            }
        }
        references.removeIf(found -> found == null);
        return references;
    }

    private static Object get(Field field, Object owner) {
        try {
            field.setAccessible(true);
            return field.get(owner);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }
}
