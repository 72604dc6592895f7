/** Where a thread of the program starts: it lints what it is sent. */
import { loadProgram } from './load-program.js';

void loadProgram().program.serve();
