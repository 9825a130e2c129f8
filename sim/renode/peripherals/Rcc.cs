using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals.Bus;

namespace Antmicro.Renode.Peripherals.Boardless
{
    // RCC of the STM32F407 (RM0090, chapter 7): every oscillator is ready as soon as it is turned
    // on, and the clock switch changes over at once. The devices run at the clocks of the .repl.
    public sealed class Rcc : IDoubleWordPeripheral, IKnownSize
    {
        public Rcc(IMachine machine)
        {
            Reset();
        }

        public void Reset()
        {
            System.Array.Clear(values, 0, values.Length);
            values[ClockControl / 4] = 0x83;
            values[PllConfiguration / 4] = 0x24003010;
            values[ControlStatus / 4] = 0x0E000000;
        }

        public uint ReadDoubleWord(long offset)
        {
            var value = values[offset / 4];
            switch(offset)
            {
            case ClockControl:
                // HSION, HSEON, PLLON and PLLI2SON have their ready flag one bit higher.
                return value | ((value & 0x05010001) << 1);
            case ClockConfiguration:
                return (value & ~0xCu) | ((value & 0x3u) << 2);
            case BackupDomain:
            case ControlStatus:
                return value | ((value & 0x1) << 1);
            default:
                return value;
            }
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            values[offset / 4] = value;
        }

        public long Size => 0x400;

        private readonly uint[] values = new uint[0x100];

        private const long ClockControl = 0x00;
        private const long PllConfiguration = 0x04;
        private const long ClockConfiguration = 0x08;
        private const long BackupDomain = 0x70;
        private const long ControlStatus = 0x74;
    }
}
