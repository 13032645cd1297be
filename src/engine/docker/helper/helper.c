#include "helper.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  if (argc > 1 && !strcmp(argv[1], "gate")) return gate_main(argc - 1, argv + 1);
  if (argc > 1 && !strcmp(argv[1], "holder")) return holder_main(argc - 1, argv + 1);
  fputs("kserve-local's helper: started by kserve-local inside its containers, as `gate` or `holder`\n", stderr);
  return 2;
}
