using System;
using System.Collections.Generic;
using System.Linq;

using Antmicro.Renode.Exceptions;

namespace Antmicro.Renode.Peripherals.Boardless
{
    // What is wrong with the sensor: "dead", "nack AFTER TIMES", "pid VALUE", "drop ROW FRAME" or
    // "cut ROWS FRAME"; -1 stands for every time or every frame.
    public sealed class SensorFault
    {
        public SensorFault(string text)
        {
            var words = text.Split(' ');
            if(!arguments.TryGetValue(words[0], out var expected) || words.Length != expected + 1)
            {
                throw new RecoverableException($"sensor fault '{text}', expected one of: "
                    + string.Join(", ", arguments.Keys));
            }
            kind = words[0];
            values = words.Skip(1).Select(int.Parse).ToArray();
        }

        // Whether the sensor drives VSYNC, HREF and PCLK.
        public bool Clocks => kind != "dead";

        public bool Acknowledges()
        {
            if(kind != "nack")
            {
                return true;
            }
            var number = asked++;
            return number < values[0] || (values[1] >= 0 && number >= values[0] + values[1]);
        }

        public byte Register(int address, byte value)
        {
            return kind == "pid" && address == ProductId ? (byte)values[0] : value;
        }

        // The lines as they leave the sensor; null where it gives no line at all.
        public byte[][] Lines(int frame, byte[][] lines)
        {
            if((kind != "drop" && kind != "cut") || (values[1] >= 0 && values[1] != frame))
            {
                return lines;
            }
            return kind == "cut"
                ? lines.Take(values[0]).ToArray()
                : lines.Select((line, row) => row == values[0] ? null : line).ToArray();
        }

        private static readonly Dictionary<string, int> arguments = new Dictionary<string, int>
        {
            { "dead", 0 }, { "nack", 2 }, { "pid", 1 }, { "drop", 2 }, { "cut", 2 },
        };

        private readonly string kind;
        private readonly int[] values;
        private int asked;

        private const int ProductId = 0x0A;
    }
}
