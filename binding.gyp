# The node-gyp build, used by `npm ci` in a clone and by prebuildify. CMakeLists.txt compiles the same files with the
# same flags; a test compares the two. JSON apart from these comment lines.
{
  "variables": {
    "openssl_fips": ""
  },
  "target_defaults": {
    "cflags_cc": ["-std=c++17", "-O3", "-Wall", "-Wextra", "-ffp-contract=off", "-fno-math-errno", "-fvisibility=hidden"],
    "cflags": ["-fPIC"],
    "cflags_cc!": ["-fno-omit-frame-pointer"],
    "xcode_settings": {
      "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
      "GCC_OPTIMIZATION_LEVEL": "3",
      "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
      "MACOSX_DEPLOYMENT_TARGET": "11.0",
      "WARNING_CFLAGS": ["-Wall", "-Wextra"],
      "OTHER_CPLUSPLUSFLAGS": ["-ffp-contract=off", "-fno-math-errno"]
    },
    "msvs_settings": {
      "VCCLCompilerTool": { "AdditionalOptions": ["/std:c++17", "/fp:precise", "/Oi"] }
    }
  },
  "targets": [
    {
      "target_name": "fovea",
      "sources": [
        "native/addon.cpp",
        "native/addon-program.cpp",
        "native/check.cpp",
        "native/engine.cpp",
        "native/program.cpp",
        "native/rules.cpp",
        "native/runner.cpp",
        "native/signature.cpp",
        "native/steps.cpp",
        "native/threads.cpp",
        "native/isa/targets.cpp"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NAPI_DISABLE_CPP_EXCEPTIONS"],
      "cflags_cc!": ["-fno-exceptions"],
      "dependencies": ["scalar"],
      "xcode_settings": { "GCC_ENABLE_CPP_EXCEPTIONS": "YES" },
      "msvs_settings": { "VCCLCompilerTool": { "ExceptionHandling": 1 } },
      "conditions": [
        ["target_arch == 'x64'", { "dependencies": ["avx512", "avx2", "sse"] }],
        ["target_arch == 'arm64'", { "dependencies": ["neon"] }],
        ["OS == 'linux'", { "ldflags": ["-static-libstdc++", "-static-libgcc", "-Wl,--exclude-libs,ALL"] }]
      ]
    },
    {
      "target_name": "scalar",
      "type": "static_library",
      "win_delay_load_hook": "false",
      "sources": ["native/isa/scalar.cpp"]
    }
  ],
  "conditions": [
    ["target_arch == 'x64'", {
      "targets": [
        {
          "target_name": "avx512",
          "type": "static_library",
          "win_delay_load_hook": "false",
          "sources": ["native/isa/avx512.cpp"],
          "cflags_cc": ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mfma", "-mbmi2", "-mprefer-vector-width=512"],
          "xcode_settings": {
            "OTHER_CPLUSPLUSFLAGS": ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mfma", "-mbmi2", "-mprefer-vector-width=512"]
          },
          "msvs_settings": { "VCCLCompilerTool": { "AdditionalOptions": ["/arch:AVX512"] } }
        },
        {
          "target_name": "avx2",
          "type": "static_library",
          "win_delay_load_hook": "false",
          "sources": ["native/isa/avx2.cpp"],
          "cflags_cc": ["-mavx2", "-mfma", "-mbmi2"],
          "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["-mavx2", "-mfma", "-mbmi2"] },
          "msvs_settings": { "VCCLCompilerTool": { "AdditionalOptions": ["/arch:AVX2"] } }
        },
        {
          "target_name": "sse",
          "type": "static_library",
          "win_delay_load_hook": "false",
          "sources": ["native/isa/sse.cpp"],
          "cflags_cc": [],
          "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": [] },
          "msvs_settings": { "VCCLCompilerTool": { "AdditionalOptions": [] } }
        }
      ]
    }],
    ["target_arch == 'arm64'", {
      "targets": [
        {
          "target_name": "neon",
          "type": "static_library",
          "win_delay_load_hook": "false",
          "sources": ["native/isa/neon.cpp"],
          "cflags_cc": [],
          "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": [] },
          "msvs_settings": { "VCCLCompilerTool": { "AdditionalOptions": [] } }
        }
      ]
    }]
  ]
}
