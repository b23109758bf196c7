# How everything is compiled: warnings are errors, mold links when it is there, ccache remembers.

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD)
    add_link_options(-fuse-ld=mold)
endif()

# -Wextra's missing-field-initializers is at odds with designated initializers: what is left out has
# its default, on purpose.
add_compile_options(-Wall -Wextra -Wpedantic -Werror -Wno-missing-field-initializers)
add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>)
add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Woverloaded-virtual>)
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ takes what a unity file includes for headers, anonymous namespaces and all.
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-subobject-linkage>)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
# -O0: instrumented code takes the optimizer three times as long as all else together, and the tests
# wait for storage and processes more than for the processor.
add_compile_options($<$<CONFIG:Debug>:-O0> $<$<CONFIG:Debug>:-g1>)

if(PAPERCLIP_SANITIZE)
    add_compile_options(-fsanitize=${PAPERCLIP_SANITIZE} -fno-omit-frame-pointer)
    add_compile_options(-fno-sanitize-recover=all)
    add_link_options(-fsanitize=${PAPERCLIP_SANITIZE})
endif()
