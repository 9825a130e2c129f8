"""Which DMA requests reach which stream and channel (RM0090 tables 42 and 43)."""

from __future__ import annotations

from boardless_sim.peripherals.dma import RequestMap

# A row a channel, a column a stream; "/" joins requests that share a place.
_DMA1 = """
SPI3_RX     -                 SPI3_RX            SPI2_RX            SPI2_TX            SPI3_TX     -                 SPI3_TX
I2C1_RX     -                 TIM7_UP            -                  TIM7_UP            I2C1_RX     I2C1_TX           I2C1_TX
TIM4_CH1    -                 I2S3_EXT_RX        TIM4_CH2           I2S2_EXT_TX        I2S3_EXT_TX TIM4_UP           TIM4_CH3
I2S3_EXT_RX TIM2_UP/TIM2_CH3  I2C3_RX            I2S2_EXT_RX        I2C3_TX            TIM2_CH1    TIM2_CH2/TIM2_CH4 TIM2_UP/TIM2_CH4
UART5_RX    USART3_RX         UART4_RX           USART3_TX          UART4_TX           USART2_RX   USART2_TX         UART5_TX
-           -                 TIM3_CH4/TIM3_UP   -                  TIM3_CH1/TIM3_TRIG TIM3_CH2    -                 TIM3_CH3
TIM5_CH3/TIM5_UP TIM5_CH4/TIM5_TRIG TIM5_CH1     TIM5_CH4/TIM5_TRIG TIM5_CH2           -           TIM5_UP           -
-           TIM6_UP           I2C2_RX            I2C2_RX            USART3_TX          DAC1        DAC2              I2C2_TX
"""  # noqa: E501
_DMA2 = """
ADC1      -         TIM8_CH1/TIM8_CH2/TIM8_CH3 -         ADC1                         -         TIM1_CH1/TIM1_CH2/TIM1_CH3 -
-         DCMI      ADC2                       ADC2      -                            -         -                          DCMI
ADC3      ADC3      -                          -         -                            CRYP_OUT  CRYP_IN                    HASH_IN
SPI1_RX   -         SPI1_RX                    SPI1_TX   -                            SPI1_TX   -                          -
-         -         USART1_RX                  SDIO      -                            USART1_RX SDIO                       USART1_TX
-         USART6_RX USART6_RX                  -         -                            -         USART6_TX                  USART6_TX
TIM1_TRIG TIM1_CH1  TIM1_CH2                   TIM1_CH1  TIM1_CH4/TIM1_TRIG/TIM1_COM  TIM1_UP   TIM1_CH3                   -
-         TIM8_UP   TIM8_CH1                   TIM8_CH2  TIM8_CH3                     -         -                          TIM8_CH4/TIM8_TRIG/TIM8_COM
"""  # noqa: E501


def _parse(table: str) -> RequestMap:
    return {
        (stream, channel): tuple(cell.split("/"))
        for channel, row in enumerate(table.split("\n")[1:-1])
        for stream, cell in enumerate(row.split())
        if cell != "-"
    }


DMA1_REQUESTS = _parse(_DMA1)
DMA2_REQUESTS = _parse(_DMA2)
